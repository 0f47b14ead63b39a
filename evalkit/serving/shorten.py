"""A shorter context, where memory did not do for the one asked for."""

from evalkit.config.engine import EngineConfig
from evalkit.errors import EngineError

_STEPS = (262144, 131072, 65536, 32768)
LEAST = _STEPS[-1]
"""Tokens. Qwen3-Coder-Next's model card advises so many where memory is short."""

_NO_MEMORY = (
    # vLLM 0.32, v1/core/kv_cache_utils.py, and older wordings of the same
    "is larger than the available KV cache memory",
    "is larger than the maximum number of tokens that can be stored in KV cache",
    "No available memory for the cache blocks",
    # PyTorch, for CUDA and ROCm
    "CUDA out of memory",
    "HIP out of memory",
)


def check_chosen(config: EngineConfig, max_model_len: int | None) -> None:
    """Raise EngineError where a context was shortened by the engine itself to less than LEAST."""
    shortened = config.shorten_to_fit and config.longest_that_fits and config.max_model_len > LEAST
    if shortened and max_model_len and max_model_len < LEAST:
        raise EngineError(
            f"{config.model}: memory does for a context of {max_model_len:,} tokens only, at least "
            f"{LEAST:,} are wanted",
            hint="take more or larger GPUs, or name what is enough: engine.max_model_len",
        )


def shorter(config: EngineConfig, log_text: str) -> EngineConfig | None:
    """Return what to try next after a start of `config` failed with `log_text`; None: give up.

    First the engine chooses (`longest_that_fits`), then come 262144, 131072, 65536 and 32768
    tokens, each less than what was asked for. To be called in a loop: start; where that fails,
    `config = shorter(config, log of this one start)`, and on None the failure is the user's. What
    the engine chose itself stands in /v1/models and may be less than LEAST: then nothing fits.

    None where the runner does not allow it, and where the log tells of another fault. Among those
    are memory that other processes hold ("Free memory on device ...") and an engine that chose
    itself and found no room for one token ("Cannot auto-fit"): no length helps against these.
    """
    if not config.shorten_to_fit or not any(words in log_text for words in _NO_MEMORY):
        return None
    if config.max_model_len <= LEAST:
        return None
    if config.longest_that_fits is None and config.kind != "sglang":  # which cannot choose
        return config.model_copy(update={"longest_that_fits": True})
    step = next(step for step in _STEPS if step < config.max_model_len)
    return config.model_copy(update={"longest_that_fits": False, "max_model_len": step})

"""Whether a model can be split over a machine and fits there, before anything starts."""

from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from evalkit.config.engine import EngineConfig, ModelShape
from evalkit.errors import ConfigError, EngineError
from evalkit.serving.machine import Machine
from evalkit.serving.shape import Model, Weights
from evalkit.serving.shorten import LEAST


class Fit(NamedTuple):
    """A runner's engine section as it can be started, and what to tell about it."""

    config: EngineConfig
    """Its tensor_parallel_size is a number."""
    lines: tuple[str, ...]
    """The sum of memory, or what was not checked."""


class Memory(NamedTuple):
    """GiB of one GPU; where there is none, of one process on CPU, whose KV cache alone counts."""

    weights: Weights | None
    """Of the whole model; None where unknown."""
    share: float
    """A GPU's part of the weights, at least: layers that are copied to each count as split."""
    token: float
    """KV cache of one token; 0 where unknown."""
    room: float | None
    """What the engine may use; None where the driver does not tell."""
    limit: str
    """How `room` is made up."""
    cache_alone: bool = False
    """Weights are outside `room`: on CPU."""

    @property
    def left(self) -> float:
        """What weights leave for the KV cache, activations and graphs; below 0 they do not fit."""
        return (self.room or 0) - self.share

    def holds(self, tokens: int) -> bool:
        """Whether weights and one sequence of so many tokens fit, as far as that is known."""
        return self.room is None or self.token * tokens <= self.left

    def total(self, tokens: int) -> str:
        """Return the sum, as shown to the user."""
        weights, sequence = "weights of unknown size", self.token * tokens
        if self.weights is not None:
            weights = f"{self.share:.1f} GiB of weights ({self.weights.origin})"
        cache = "KV cache unknown for want of engine.shape"
        if self.token:
            cache = f"{sequence:.2f} GiB of KV cache for one sequence of {tokens:,} tokens"
        if self.cache_alone:
            return f"{cache}, of {self.limit}"
        about = "" if self.weights and self.token else "at least "
        return f"{weights} + {cache} = {about}{self.share + sequence:.1f} GiB, of {self.limit}"


def fit(config: EngineConfig, machine: Machine, model: Model) -> Fit:
    """Resolve `tensor_parallel_size: auto`, and check what the rest asks of the machine.

    `auto` is as many GPUs as there are and the model can be split over; powers of two where its
    shape is unknown. On CPU it is 1: one process computes on all its cores by threads, and a
    second one would only add what they have to tell each other.

    Raises ConfigError where the model cannot be split so or the answers would be wrong, EngineError
    where there are too few GPUs (or cores) or too little memory.
    """
    _check_answers(config, model.shape)
    ranks = _tensor_parallel(config, machine, model.shape)
    config = config.model_copy(update={"tensor_parallel_size": ranks})
    _check_count(config, machine)
    if model.shape is not None and (why := obstacle(ranks, config, model.shape)):
        raise ConfigError(f"{config.model}: {why}", hint=_other_sizes(config, machine, model.shape))
    used = memory(config, machine, model)
    return Fit(config, (_check_memory(config, used), *_idle(config, machine)))


def processes(config: EngineConfig) -> int:
    """Return over how many GPUs, or shares of the cores, a resolved configuration goes."""
    assert config.tensor_parallel_size != "auto"
    return config.tensor_parallel_size * config.pipeline_parallel_size * config.data_parallel_size


def obstacle(ranks: int, config: EngineConfig, shape: ModelShape) -> str:
    """Say why the model cannot be split over so many ranks; empty where it can.

    The rules are vLLM's (config/model.py, its attention layers, and
    quantization/utils/fp8_utils.py). It cuts experts over the data-parallel replicas too
    (fused_moe/config.py). Older ones refuse to cut blocks of FP8; 0.32 does it for Triton's kernels
    alone (oracle/fp8.py).
    """
    heads, kv_heads = shape.attention_heads, shape.kv_heads
    if heads % ranks:
        return f"its {heads} query heads cannot be shared by tensor_parallel_size {ranks}"
    if kv_heads % ranks and ranks % kv_heads:
        return (
            f"its {kv_heads} KV heads can be neither shared nor copied evenly "
            f"by tensor_parallel_size {ranks}"
        )
    cuts, block, size = ranks * config.data_parallel_size, shape.fp8_block, shape.expert_size
    if block and size and not config.expert_parallel and size % (cuts * block):
        return (
            f"its experts of {size} in FP8 blocks of {block} cannot be cut into {cuts} whole blocks "
            "each: expert_parallel keeps them whole"
        )
    return ""


def memory(config: EngineConfig, machine: Machine, model: Model) -> Memory:
    """Work out what one process of a resolved configuration takes, and has."""
    assert config.tensor_parallel_size != "auto"
    token = _token(config, machine, model.shape) if model.shape else 0
    if not machine.gpus:
        room = config.cpu_kv_cache_gib
        limit = f"{room} GiB (cpu_kv_cache_gib)"
        return Memory(model.weights, 0, token, room, limit, cache_alone=True)
    cuts = config.tensor_parallel_size * config.pipeline_parallel_size
    if model.shape and model.shape.expert_size:
        cuts *= config.data_parallel_size
    weights, share = model.weights, model.weights.gib / cuts if model.weights else 0
    known = [gpu.memory_gib for gpu in machine.gpus[: processes(config)] if gpu.memory_gib]
    if len(known) < processes(config):
        return Memory(weights, share, token, None, "an unknown size")
    part = config.gpu_memory_utilization
    limit = f"{part * min(known):.1f} GiB ({part:.0%} of {min(known):.1f} GiB)"
    return Memory(weights, share, token, part * min(known), limit)


def _token(config: EngineConfig, machine: Machine, shape: ModelShape) -> float:
    assert config.tensor_parallel_size != "auto"
    heads = max(1, shape.kv_heads // config.tensor_parallel_size)  # fewer than ranks are copied
    layers = ceil(shape.attention_layers / config.pipeline_parallel_size)
    return 2 * heads * shape.head_dim * layers * _kv_bytes(config, machine) / 2**30


def _kv_bytes(config: EngineConfig, machine: Machine) -> int:
    if any(argument.startswith("--kv-cache-dtype") for argument in config.extra_args):
        return 1  # the least that any of its choices takes
    return 4 if machine.dtype(config.dtype) == "float32" else 2


def _check_answers(config: EngineConfig, shape: ModelShape | None) -> None:
    """Refuse what vLLM computes wrongly; unset, prefix caching is on (0.32, hybrids included).

    Issue 43559 of vllm-project/vllm tells of a fifth less accuracy; 53912 of wrong output in 0.28
    still, after its fix.
    """
    hybrid = shape is not None and shape.linear_attention
    of_vllm = config.kind in {"vllm", "vllm-docker"}
    if of_vllm and hybrid and config.speculative and config.prefix_caching is not False:
        raise ConfigError(
            f"{config.model}: prefix caching together with speculative decoding gives wrong output "
            "on models with linear attention (vLLM issues 43559 and 53912)",
            hint="--set engine.prefix_caching=false, or engine.speculative=null",
        )


def _tensor_parallel(config: EngineConfig, machine: Machine, shape: ModelShape | None) -> int:
    if config.tensor_parallel_size != "auto":
        return config.tensor_parallel_size
    if not machine.gpus:
        return 1
    return max(_possible(config, machine, shape), default=1)


def _possible(config: EngineConfig, machine: Machine, shape: ModelShape | None) -> list[int]:
    most = len(machine.gpus) // (config.pipeline_parallel_size * config.data_parallel_size)
    can: Callable[[int], bool] = (
        (lambda ranks: ranks & (ranks - 1) == 0)
        if shape is None
        else (lambda ranks: not obstacle(ranks, config, shape))
    )
    return [ranks for ranks in range(1, most + 1) if can(ranks)]


def _check_count(config: EngineConfig, machine: Machine) -> None:
    wanted = processes(config)
    there, what = (
        (len(machine.gpus), "GPUs") if machine.gpus else (len(machine.cores), "CPU cores (no GPU)")
    )
    if wanted <= there:
        return
    split = f"tensor_parallel_size {config.tensor_parallel_size}"
    for name in ("pipeline_parallel_size", "data_parallel_size"):
        if (times := getattr(config, name)) > 1:
            split += f" x {name} {times}"
    raise EngineError(
        f"{split} needs {wanted} {what}, this machine has {there}",
        hint="--set engine.tensor_parallel_size=auto takes as many as there are",
    )


def _other_sizes(config: EngineConfig, machine: Machine, shape: ModelShape) -> str:
    sizes = _possible(config, machine, shape)
    if not sizes:
        return "--set engine.expert_parallel=true, or change how it is split"
    return f"--set engine.tensor_parallel_size to one of {', '.join(map(str, sizes))}"


def _check_memory(config: EngineConfig, used: Memory) -> str:
    """Return the sum; raise EngineError where it does not fit, however short the context may get."""
    tokens = config.max_model_len
    least = min(tokens, LEAST) if config.shorten_to_fit or config.longest_that_fits else tokens
    if not used.holds(least):
        raise EngineError(
            f"{config.model} does not fit: each of {processes(config)} takes {used.total(least)}",
            hint=_way_out(used),
        )
    line = f"fit: each of {processes(config)} takes {used.total(tokens)}"
    return line if used.holds(tokens) else f"{line}: it will start with a shorter context"


def _way_out(used: Memory) -> str:
    fitting = int(used.left / used.token / 1024) * 1024 if used.token else 0
    if fitting >= 1024:
        shorter = " or engine.shorten_to_fit=true" if fitting >= LEAST else ""
        return f"--set engine.max_model_len={fitting}{shorter}"
    return (
        "take more or larger GPUs, or quantised weights; where they are FP8 already, say so: "
        "--set engine.shape.fp8_block=128"
    )


def _idle(config: EngineConfig, machine: Machine) -> tuple[str, ...]:
    idle, count = len(machine.gpus) - processes(config), len(machine.gpus)
    if idle <= 0:
        return ()
    return (f"fit: {idle} of {count} GPUs stay idle: data_parallel_size puts copies on them",)

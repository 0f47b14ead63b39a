"""From a runner's engine section and the machine's facts to vLLM's command line."""

from collections.abc import Mapping
from pathlib import Path

from evalkit.config.engine import EngineConfig
from evalkit.errors import EngineError
from evalkit.serving.launch import HOST, Launch
from evalkit.serving.machine import Machine

_CPU_NICENESS = 19
"""On CPU the engine's threads spin and take the cores from the sandboxes beside them: one pytest
took 3.3 s instead of 0.5 s on 2 cores, eight at once ran into their time limits."""

_CPU_STEP_TOKENS = 512
"""On CPU a step of the engine's default size, thousands of prompt tokens, takes minutes: streams
beside it stand still, and past 300 s (VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS) vLLM takes its worker for
dead. Two prompts of 5,000 tokens did that on 2 cores."""


def launch(
    config: EngineConfig,
    machine: Machine,
    *,
    python: str,
    weights: str,
    port: int,
    environ: Mapping[str, str],
) -> Launch:
    """Put the command together; `weights` is a local folder or a name on the model hub.

    Raises EngineError where tensor parallelism wants more GPUs (or, without any, more cores)
    than there are.
    """
    _check_fit(config.tensor_parallel_size, machine)
    env = dict(environ)
    if Path(weights).is_dir():
        env["HF_HUB_OFFLINE"] = "1"
    if not machine.gpus:
        env["VLLM_CPU_OMP_THREADS_BIND"] = split_cores(machine.cores, config.tensor_parallel_size)
        env["VLLM_CPU_KVCACHE_SPACE"] = str(config.cpu_kv_cache_gib)
    # -P: a folder called vllm where evalkit was started must not stand in for the package.
    argv = [python, "-P", "-m", "vllm.entrypoints.openai.api_server"]
    argv += ["--model", weights, "--served-model-name", config.model]
    argv += ["--host", HOST, "--port", str(port)]
    argv += ["--dtype", _dtype(config.dtype, machine), *_options(config)]
    if not machine.gpus:
        argv += ["--max-num-batched-tokens", str(_CPU_STEP_TOKENS)]
    argv += config.extra_args
    return Launch(
        argv=tuple(argv),
        env=env,
        port=port,
        model=config.model,
        niceness=0 if machine.gpus else _CPU_NICENESS,
    )


def _options(config: EngineConfig) -> list[str]:
    options = ["--tensor-parallel-size", str(config.tensor_parallel_size)]
    options += ["--max-model-len", str(config.max_model_len)]
    options += ["--load-format", config.load_format]
    options += ["--stream-interval", "8", "--enable-prompt-tokens-details"]
    if config.tool_parser:
        options += ["--enable-auto-tool-choice", "--tool-call-parser", config.tool_parser]
    if config.enforce_eager:
        options.append("--enforce-eager")
    return options


def _dtype(wanted: str, machine: Machine) -> str:
    """Resolve `auto`: what the weights are in, but on cores that are slow in bfloat16 float32."""
    if wanted == "auto" and not machine.gpus and not machine.fast_bf16:
        return "float32"
    return wanted


def _check_fit(wanted: int, machine: Machine) -> None:
    there, what = (
        (machine.gpus, "GPUs") if machine.gpus else (len(machine.cores), "CPU cores (no GPU)")
    )
    if wanted > there:
        raise EngineError(
            f"tensor_parallel_size {wanted} needs {wanted} {what}, this machine has {there}",
            hint=f"--set engine.tensor_parallel_size={there} or fewer",
        )


def split_cores(cores: tuple[int, ...], ranks: int) -> str:
    """Share the cores evenly, in vLLM's notation: `0,1|2,3` for four cores and two ranks."""
    each = len(cores) // ranks
    shares = [cores[rank * each : (rank + 1) * each] for rank in range(ranks)]
    return "|".join(",".join(map(str, share)) for share in shares)

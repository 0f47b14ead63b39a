"""From a runner's engine section and the machine's facts to vLLM's command line."""

import json
from collections.abc import Mapping
from pathlib import Path

from evalkit.config.engine import EngineConfig
from evalkit.serving.fit import processes
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
    """Put the command together, of what `fit` made of the runner's engine section.

    `weights` is a local folder or a name on the model hub.
    """
    env = dict(environ)
    if Path(weights).is_dir():
        env["HF_HUB_OFFLINE"] = "1"
    if not machine.gpus:
        env["VLLM_CPU_OMP_THREADS_BIND"] = split_cores(machine.cores, processes(config))
        env["VLLM_CPU_KVCACHE_SPACE"] = str(config.cpu_kv_cache_gib)
    # -P: a folder called vllm where evalkit was started must not stand in for the package.
    argv = [python, "-P", "-m", "vllm.entrypoints.openai.api_server"]
    argv += ["--model", weights, "--served-model-name", config.model]
    argv += ["--host", HOST, "--port", str(port)]
    argv += options(config, machine)
    return Launch(
        argv=tuple(argv),
        env=env,
        port=port,
        model=config.model,
        niceness=0 if machine.gpus else _CPU_NICENESS,
    )


def options(config: EngineConfig, machine: Machine) -> list[str]:
    """Return the keys of a runner as arguments; what is not set is left to vLLM.

    `--stream-interval`, prompt token details and the silent access log are ours: fewer chunks to
    read, the tokens that the prefix cache held, and a log that our looks every 2 s do not fill. On
    CPU, where tokens are few, each comes at once: none that was made is missed where an answer
    breaks off.
    """
    return [
        *("--dtype", machine.dtype(config.dtype)),
        *("--max-model-len", "auto" if config.longest_that_fits else str(config.max_model_len)),
        *("--load-format", config.load_format),
        *("--stream-interval", "8" if machine.gpus else "1", "--enable-prompt-tokens-details"),
        "--disable-uvicorn-access-log",
        *_parallel(config),
        *_parsers(config),
        *_decoding(config),
        *_memory(config, machine),
        *config.extra_args,
    ]


def _parallel(config: EngineConfig) -> list[str]:
    found = ["--tensor-parallel-size", str(config.tensor_parallel_size)]
    if config.pipeline_parallel_size > 1:
        found += ["--pipeline-parallel-size", str(config.pipeline_parallel_size)]
    if config.data_parallel_size > 1:
        found += ["--data-parallel-size", str(config.data_parallel_size)]
    if config.expert_parallel:
        found.append("--enable-expert-parallel")
    return found


def _parsers(config: EngineConfig) -> list[str]:
    found = []
    if config.tool_parser:
        found += ["--enable-auto-tool-choice", "--tool-call-parser", config.tool_parser]
    if config.reasoning_parser:
        found += ["--reasoning-parser", config.reasoning_parser]
    return found


def _decoding(config: EngineConfig) -> list[str]:
    found = []
    if config.quantization:
        found += ["--quantization", config.quantization]
    if config.prefix_caching is not None:
        switch = (
            "--enable-prefix-caching" if config.prefix_caching else "--no-enable-prefix-caching"
        )
        found.append(switch)
    if config.speculative:
        found += ["--speculative-config", json.dumps(dict(config.speculative))]
    if config.enforce_eager:
        found.append("--enforce-eager")
    return found


def _memory(config: EngineConfig, machine: Machine) -> list[str]:
    if machine.gpus:
        return ["--gpu-memory-utilization", f"{config.gpu_memory_utilization:g}"]
    return ["--max-num-batched-tokens", str(_CPU_STEP_TOKENS)]


def split_cores(cores: tuple[int, ...], ranks: int) -> str:
    """Share the cores evenly, in vLLM's notation: `0,1|2,3` for four cores and two ranks."""
    each = len(cores) // ranks
    shares = [cores[rank * each : (rank + 1) * each] for rank in range(ranks)]
    return "|".join(",".join(map(str, share)) for share in shares)

"""From a runner's engine section to SGLang's command line."""

from collections.abc import Mapping
from pathlib import Path

from evalkit.config.engine import EngineConfig
from evalkit.errors import ConfigError, EngineError
from evalkit.serving.launch import HOST, Launch
from evalkit.serving.machine import Machine


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

    The flags are those of SGLang 0.5.23 (sglang/srt/server_args.py). Raises EngineError where there
    is no GPU, ConfigError for keys that only vLLM has.
    """
    if not machine.gpus:
        raise EngineError(
            "SGLang is started on GPUs only, and this machine has none",
            hint="engine.kind=vllm: its CPU build serves small models",
        )
    env = dict(environ)
    if Path(weights).is_dir():
        env["HF_HUB_OFFLINE"] = "1"
    argv = [python, "-P", "-m", "sglang.launch_server"]
    argv += ["--model-path", weights, "--served-model-name", config.model]
    argv += ["--host", HOST, "--port", str(port)]
    argv += ["--dtype", config.dtype, "--load-format", config.load_format]
    argv += ["--context-length", str(config.max_model_len)]
    argv += ["--mem-fraction-static", str(config.gpu_memory_utilization)]
    argv += [*_parallel(config), *_answers(config), *_choices(config), *config.extra_args]
    return Launch(argv=tuple(argv), env=env, port=port, model=config.model)


def _parallel(config: EngineConfig) -> list[str]:
    ranks = str(config.tensor_parallel_size)
    options = ["--tp-size", ranks]
    options += ["--pp-size", str(config.pipeline_parallel_size)]
    options += ["--dp-size", str(config.data_parallel_size)]
    if config.expert_parallel:
        options += ["--ep-size", ranks]
    return options


def _answers(config: EngineConfig) -> list[str]:
    """Return what shapes its answers, and lets them be counted."""
    options = ["--stream-interval", "8", "--enable-metrics", "--enable-cache-report"]
    if config.tool_parser:
        options += ["--tool-call-parser", config.tool_parser]
    if config.reasoning_parser:
        options += ["--reasoning-parser", config.reasoning_parser]
    return options


def _choices(config: EngineConfig) -> list[str]:
    if config.speculative:
        raise ConfigError(
            "engine.speculative is vLLM's notation; SGLang has flags of its own",
            hint="give them as engine.extra_args, such as [--speculative-algorithm, NEXTN]",
        )
    options = []
    if config.quantization:
        options += ["--quantization", config.quantization]
    if config.prefix_caching is False:
        options.append("--disable-radix-cache")
    if config.enforce_eager:
        options.append("--disable-cuda-graph")
    return options

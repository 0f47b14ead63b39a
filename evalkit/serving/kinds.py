"""The engines that can be started: from a runner's engine section to the server to start."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from evalkit.config.engine import EngineConfig
from evalkit.serving import sglang, vllm, vllm_docker
from evalkit.serving.fit import fit, processes
from evalkit.serving.interpreter import engine_python
from evalkit.serving.launch import Launch
from evalkit.serving.machine import Machine
from evalkit.serving.shape import look_at
from evalkit.serving.weights import ensure_weights


class Planned(NamedTuple):
    """A server to start."""

    launch: Launch
    gpus: int
    """How many it takes; 0 on CPU."""


def plan(
    config: EngineConfig,
    machine: Machine,
    *,
    params_b: float | None,
    cache: Path,
    port: int,
    environ: Mapping[str, str],
    labels: Mapping[str, str],
    say: Callable[[str], None],
) -> Planned:
    """Check that the model fits the machine, make sure of its weights, put the command together.

    `params_b` is the model's size in billions, where known; `labels` mark a container as this
    process's own. Raises as `fit`, `ensure_weights` and `engine_python` do.
    """
    in_docker = config.kind == "vllm-docker"
    package = "sglang" if config.kind == "sglang" else "vllm"
    python = "" if in_docker else engine_python(config.python, cache, package)
    weights = _weights(config, cache, python, say)
    fitted = fit(config, machine, look_at(config, weights, params_b))
    for line in fitted.lines:
        say(line)
    if in_docker:
        launch = vllm_docker.launch(
            fitted.config, machine, weights=weights, port=port, environ=environ, labels=labels
        )
    else:
        make = sglang.launch if package == "sglang" else vllm.launch
        launch = make(
            fitted.config, machine, python=python, weights=weights, port=port, environ=environ
        )
    return Planned(launch, processes(fitted.config) if machine.gpus else 0)


def _weights(config: EngineConfig, cache: Path, python: str, say: Callable[[str], None]) -> str:
    """Return a folder, or a name on the hub for the engine to fetch."""
    if config.gguf:
        python = python or engine_python(config.python, cache, "gguf")
        return str(ensure_weights(config.gguf, config.model, cache, python, say))
    folder = Path(config.model).expanduser()
    return str(folder.resolve()) if folder.is_dir() else config.model

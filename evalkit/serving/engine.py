"""An engine that exists only inside a `with` block."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from evalkit.config.engine import EngineConfig
from evalkit.errors import ConfigError, EngineError
from evalkit.serving import sglang, vllm, vllm_docker
from evalkit.serving.endpoint import Endpoint, check_context, look, probe
from evalkit.serving.interpreter import engine_python
from evalkit.serving.launch import HOST, Launch
from evalkit.serving.machine import this_machine
from evalkit.serving.phases import Tell
from evalkit.serving.server import EngineServer
from evalkit.serving.weights import ensure_weights


@contextmanager
def serve(
    config: EngineConfig,
    *,
    cache: Path,
    log: Path,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    api_key: str = "EMPTY",
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Endpoint]:
    """Start the engine (or check the endpoint named), probe it, and yield where it answers.

    `log` takes the engine's output, `environ` is the environment it gets, `say` hears each step,
    `labels` mark its container as this process's own.
    Every way out of the block ends every process of the engine. Raises EngineError with the end
    of the log where it does not come up, WeightsError where its weights cannot be had.
    """
    if config.kind == "endpoint":
        yield _attach(config, api_key)
        return
    plan = _plan(config, cache, environ, labels, say)
    deadline = time.monotonic() + config.start_timeout_s
    with EngineServer(plan, log) as server:
        server.wait(deadline, _phases(say))
        say("engine: first tokens")
        left_s = max(60.0, deadline - time.monotonic())
        endpoint = replace(
            look(plan.url, plan.model, api_key=api_key), argv=plan.argv, pid=server.pid
        )
        yield _probed(endpoint, api_key, left_s)


def _phases(say: Callable[[str], None]) -> Tell:
    """Say each phase once; its share is for who can draw it."""
    last = ""

    def tell(phase: str, share: float | None) -> None:  # noqa: ARG001 - not drawn
        nonlocal last
        if phase != last:
            last = phase
            say(f"engine: {phase}")

    return tell


def _attach(config: EngineConfig, api_key: str) -> Endpoint:
    if not config.url:
        raise ConfigError(
            "engine.kind is endpoint, but engine.url is missing", hint="--endpoint URL"
        )
    endpoint = look(config.url.rstrip("/"), config.model, api_key=api_key)
    check_context(endpoint, config.max_model_len)
    return _probed(endpoint, api_key, config.start_timeout_s)


def _probed(endpoint: Endpoint, api_key: str, timeout_s: float) -> Endpoint:
    answer = probe(endpoint.url, endpoint.model, api_key=api_key, timeout_s=timeout_s)
    return replace(endpoint, probe=answer.usage, answers_as=answer.answers_as)


def _plan(
    config: EngineConfig,
    cache: Path,
    environ: Mapping[str, str],
    labels: Mapping[str, str],
    say: Callable[[str], None],
) -> Launch:
    machine = this_machine(environ)
    if config.kind == "vllm-docker":
        weights = _weights(config, cache, lambda: engine_python(config.python, cache, "gguf"), say)
        port = _port(config.port)
        return vllm_docker.launch(
            config, machine, weights=weights, port=port, environ=environ, labels=labels
        )
    start, package = (sglang.launch, "sglang") if config.kind == "sglang" else (vllm.launch, "vllm")
    python = engine_python(config.python, cache, package)
    weights = _weights(config, cache, lambda: python, say)
    port = _port(config.port)
    return start(config, machine, python=python, weights=weights, port=port, environ=environ)


def _weights(
    config: EngineConfig, cache: Path, python: Callable[[], str], say: Callable[[str], None]
) -> str:
    """Return a folder, or a name on the hub for the engine to fetch."""
    if config.gguf:
        return str(ensure_weights(config.gguf, config.model, cache, python(), say))
    folder = Path(config.model).expanduser()
    return str(folder.resolve()) if folder.is_dir() else config.model


def _port(wanted: int) -> int:
    """Return a free port, or the one wanted where nobody listens on it."""
    with socket.socket() as probe_socket:
        probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe_socket.bind((HOST, wanted))
        except OSError as error:
            raise EngineError(
                f"port {wanted} cannot be used: {error.strerror}",
                hint="--set engine.port=0 takes a free one",
            ) from error
        port: int = probe_socket.getsockname()[1]
        return port

"""vLLM in its Docker image: the command of serving/vllm.py, in a container that its guard removes."""

import uuid
from collections.abc import Mapping
from pathlib import Path

from evalkit.config.engine import EngineConfig
from evalkit.serving import vllm
from evalkit.serving.launch import HOST, Launch
from evalkit.serving.machine import Machine

_INSIDE = 8000
_HUB = "/hub"
_PASSED = frozenset(("CUDA_VISIBLE_DEVICES", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_TOKEN"))


def launch(
    config: EngineConfig,
    machine: Machine,
    *,
    weights: str,
    port: int,
    environ: Mapping[str, str],
    labels: Mapping[str, str],
) -> Launch:
    """Put the command together; `weights` is a local folder or a name on the model hub.

    `labels` say whose the container is, for who finds it where even its guard was killed. The
    folder is mounted read-only where it lies; the hub's cache on this machine is the container's
    too. Raises as `vllm.launch` does.
    """
    inner = vllm.launch(
        config, machine, python="python3", weights=weights, port=_INSIDE, environ=environ
    )
    name = f"evalkit-engine-{uuid.uuid4().hex[:12]}"
    argv = ["docker", "run", "--rm", "--init", "--name", name, "--log-driver", "none"]
    for label, value in labels.items():
        argv += ["--label", f"{label}={value}"]
    if machine.gpus:
        argv += ["--gpus", "all"]
    argv += ["--ipc", "host"]  # its processes share tensors by /dev/shm, Docker's own has 64 MiB
    argv += ["--publish", f"{HOST}:{port}:{_INSIDE}"]
    if Path(weights).is_dir():
        argv += ["--volume", f"{weights}:{weights}:ro"]
    else:
        argv += ["--volume", f"{_hub_cache(environ)}:{_HUB}", "--env", f"HF_HOME={_HUB}"]
    for variable in inner.env:
        if variable in _PASSED or variable.startswith("VLLM_"):
            argv += ["--env", variable]  # by name alone: a token is not to stand in a command line
    argv += ["--entrypoint", inner.argv[0], config.image, *_reachable(inner.argv[1:])]
    return Launch(
        argv=tuple(argv),
        env=inner.env,
        port=port,
        model=inner.model,
        after=("docker", "rm", "--force", name),
    )


def _reachable(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Have it listen on the container's own network, which alone reaches it."""
    at = arguments.index("--host") + 1
    return (*arguments[:at], "0.0.0.0", *arguments[at + 1 :])  # noqa: S104 - inside a container


def _hub_cache(environ: Mapping[str, str]) -> str:
    """Return where the hub's library keeps what it downloads (huggingface_hub/constants.py)."""
    cache = environ.get("XDG_CACHE_HOME") or f"{environ.get('HOME', '/root')}/.cache"
    return environ.get("HF_HOME") or f"{cache}/huggingface"

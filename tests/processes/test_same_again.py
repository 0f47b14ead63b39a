"""The same agent on the same tasks, twice: the same verdicts, and nothing to tell them apart."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.row("I6")

DECIDED = ("patch.diff", "verdict.json", "evidence.json")


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folders = [tmp_path_factory.mktemp("runs") / "run" for _ in range(2)]
    for folder in folders:
        command = [sys.executable, "-m", "tests.doubles.synthetic", str(folder)]
        subprocess.run([*command, "--attempts", "3"], check=True, capture_output=True)
    return folders


def _decided(folder: Path) -> dict[str, bytes]:
    paths = (path for name in DECIDED for path in folder.glob(f"tasks/*/*/{name}"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _compare(folders: list[Path]) -> dict[str, Any]:
    command = [sys.executable, "-m", "evalkit", "compare", *map(str, folders), "--format", "json"]
    done = subprocess.run(command, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_patches_evidence_and_verdicts_are_alike_to_the_byte(twice: list[Path]) -> None:
    first, second = map(_decided, twice)
    assert (first, len(first)) == (second, 3 * 8 * 3)


def test_compared_nothing_flips(twice: list[Path]) -> None:
    found = _compare(twice)["mcnemar"]
    assert (found["wins"], found["losses"], found["p"]) == (0, 0, 1)


def test_compared_again_it_says_the_same(twice: list[Path]) -> None:
    assert _compare(twice) == _compare(twice)

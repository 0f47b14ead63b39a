"""In which order a real run begins its attempts, and what it reads of the runs beside it for that."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

UNUSED = "not used to order tasks"


def said(folder: Path, *more: str) -> str:
    """Let a run of two attempts a task go to its end; return what it says."""
    command = [sys.executable, "-m", "tests.doubles.synthetic", str(folder), "--attempts=2", *more]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A run beside one that cannot be read."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "results.jsonl").touch()
    said(tmp_path / "run")
    return tmp_path / "run"


def test_every_task_is_begun_once_before_any_is_begun_twice(tmp_path: Path) -> None:
    text = said(tmp_path / "run", "--tasks=2", "--one-by-one")
    begun = re.findall(r"(\S+ #\d): started", text)
    assert begun == ["task-0 #1", "task-1 #1", "task-0 #2", "task-1 #2"]


def test_where_something_is_left_runs_beside_it_are_read(finished: Path) -> None:
    assert UNUSED in said(finished.with_name("next"))


def test_where_nothing_is_left_they_are_not(finished: Path) -> None:
    assert UNUSED not in said(finished)

"""What changes the revision of one task of a folder, and of which it leaves the others alone."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from evalkit.config.content import content_root
from evalkit.suites.registry import open_suite
from tests.doubles.suites import own_quickstart

Revisions = dict[str, str]


def _revisions(folder: Path) -> Revisions:
    suite = open_suite(str(folder), images=_no_images, say=print, cache=folder)
    return {task.id: suite.task_revision(task) for task in suite.tasks()}


def _no_images() -> NoReturn:
    raise AssertionError("images were asked for")


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return own_quickstart(tmp_path, "leap-years/tests/test_leap.py", "")


def _another_test(suite: Path) -> None:
    (suite / "leap-years" / "tests" / "test_more.py").write_text("def test(): ...\n")


def _another_problem(suite: Path) -> None:
    (suite / "leap-years" / "problem.md").write_text("Something else.\n")


def _another_history(suite: Path) -> None:
    shutil.copy(suite / "celsius-formula" / "history.fi", suite / "leap-years" / "history.fi")


@pytest.mark.parametrize("change", [_another_test, _another_problem, _another_history])
def test_a_change_of_one_task_is_seen_in_its_revision_alone(
    suite: Path, change: Callable[[Path], None]
) -> None:
    before = _revisions(suite)
    change(suite)
    after = _revisions(suite)
    assert [name for name in before if before[name] != after[name]] == ["leap-years"]


def test_where_the_suite_lies_does_not_matter(suite: Path) -> None:
    assert _revisions(suite) == _revisions(content_root() / "tasks" / "quickstart")

from pathlib import Path

import pytest

from evalkit.errors import StoreError
from evalkit.reporting.side import Tried, pool, read_side
from evalkit.types import Outcome
from tests.doubles.sides import I, R, U, side, write_folder, write_turn


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tasks: dict[str, list[Outcome | None]] = {
        "a": [R, U, R],
        "b": [I, None, R],
        "c": [None, None, None],
    }
    return write_folder(tmp_path / "run", tasks, model="Demo-1B", grading=3)


@pytest.mark.row("I1")
def test_every_attempt_of_every_selected_task_is_there(folder: Path) -> None:
    assert read_side(folder).tasks == {
        "a": Tried(repo="repo/a", planned=3, resolved=2),
        "b": Tried(repo="repo/b", planned=3, resolved=1, lost=2),
        "c": Tried(planned=3, lost=3),
    }


def test_it_has_the_name_under_which_it_was_asked_for(folder: Path) -> None:
    assert read_side(folder).name == str(folder)


def test_what_was_run_is_read(folder: Path) -> None:
    read = read_side(folder)
    assert (read.suite, read.revision, read.model, read.grading) == ("s", "1", "Demo-1B", 3)


def test_each_task_has_its_revision(folder: Path) -> None:
    assert read_side(folder).task_revisions == dict.fromkeys("abc", "same")


def test_of_a_folder_without_revisions_no_task_is_known(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "old", {"a": [R]}, task_revisions=[])
    assert read_side(folder).task_revisions == {}


def test_its_speed_is_over_the_time_with_a_request(folder: Path) -> None:
    write_turn(folder, 100, 4)
    assert read_side(folder).busy_tok_s == 25


def test_a_run_without_a_request_has_no_speed(folder: Path) -> None:
    assert read_side(folder).busy_tok_s is None


def test_a_folder_that_says_no_suite_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "run", {"a": [R]}, suite=None)
    with pytest.raises(StoreError, match=r"run\.json is damaged: suite"):
        read_side(folder)


FIRST = side("n1", [(1, 1), (0, 1, 1)], completion_tokens=100, busy_s=10)
SECOND = side("n2", [(0, 1), (1, 1), (1, 1)], completion_tokens=300, busy_s=10)


def test_pooled_the_attempts_of_a_task_are_summed() -> None:
    tasks = pool([FIRST, SECOND]).tasks
    assert [(one.resolved, one.planned, one.lost) for one in tasks.values()] == [
        (1, 2, 0),
        (1, 2, 1),
        (1, 1, 0),
    ]


def test_pooled_the_speed_is_over_all_of_the_time() -> None:
    assert pool([FIRST, SECOND]).busy_tok_s == 20


def test_pooled_the_number_of_runs_is_named() -> None:
    assert pool([FIRST, SECOND, SECOND]).name == "n1 and 2 more"


def test_pooled_each_model_is_named_once() -> None:
    other = SECOND.model_copy(update={"model": "n"})
    assert pool([FIRST, SECOND, other]).model == "m / n"


def test_one_run_is_itself() -> None:
    assert pool([FIRST]) == FIRST


def test_a_repository_that_one_run_does_not_know_is_told_by_another() -> None:
    unknown = {name: one.model_copy(update={"repo": ""}) for name, one in FIRST.tasks.items()}
    assert pool([FIRST.model_copy(update={"tasks": unknown}), SECOND]).tasks["t01"].repo == "r1"

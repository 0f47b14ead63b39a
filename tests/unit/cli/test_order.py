"""The order in which attempts are begun."""

from pathlib import Path

import pytest

from evalkit.cli.execute import Run, ordered
from evalkit.cli.grade import longest_first
from evalkit.config.runner import load_runner
from evalkit.suites.registry import open_suite
from evalkit.types import Task
from tests.doubles.tasks import make_task


def pairs(*overrides: str) -> list[tuple[str, int]]:
    tasks: tuple[Task, ...] = (make_task(id="a"), make_task(id="b"))
    suite = open_suite("quickstart", images=pytest.fail, say=print, cache=Path("none"))
    run = Run(
        id="r",
        folder=Path("r"),
        suite=suite,
        runner=load_runner("quickstart", list(overrides)),
        agent="gold",
        model="gold",
        tasks=tasks,
        attempts=2,
    )
    return [(task.id, number) for task, number in ordered(run)]


def test_every_task_comes_once_before_any_comes_twice() -> None:
    assert pairs() == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_where_images_do_not_stay_a_task_is_done_before_the_next() -> None:
    assert pairs("images.keep=false") == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]


def test_predictions_of_tasks_with_most_tests_are_graded_first() -> None:
    few = make_task(id="few", fail_to_pass=("a",))
    many = make_task(id="many", fail_to_pass=("a", "b", "c"))
    assert [task.id for task in longest_first([few, many])] == ["many", "few"]


def test_predictions_of_tasks_with_as_many_tests_stay_in_order() -> None:
    tasks = [make_task(id=name, fail_to_pass=("a",)) for name in "ba"]
    assert [task.id for task in longest_first(tasks)] == ["b", "a"]

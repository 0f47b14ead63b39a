"""The order in which attempts are begun."""

import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.campaign import Todo
from evalkit.cli.grade import longest_first
from evalkit.cli.order import ordered, seconds_before
from evalkit.cli.settled import Run
from evalkit.config.runner import load_runner
from evalkit.suites.registry import open_suite
from evalkit.types import Outcome, Task
from tests.doubles.tasks import make_result, make_task


def pairs(
    *overrides: str, before: dict[str, float] | None = None, shuffled: bool = False
) -> list[tuple[str, int]]:
    tasks: tuple[Task, ...] = (make_task(id="a"), make_task(id="b"))
    suite = open_suite("quickstart", images=pytest.fail, say=print, cache=Path("none"))
    run = Run(
        id="r",
        folder=Path("r"),
        suite=suite,
        runner=load_runner("quickstart", list(overrides)),
        agent="gold",
        model="gold",
        command="evalkit run",
        tasks=tasks,
        attempts=2,
        shuffled=shuffled,
    )
    todo = [Todo(task=task, attempt=number) for task in tasks for number in (1, 2)]
    return [(one.task.id, one.attempt) for one in ordered(run, todo, before or {})]


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


def test_a_task_that_was_slow_before_comes_first() -> None:
    assert pairs(before={"a": 1.0, "b": 9.0}) == [("b", 1), ("a", 1), ("b", 2), ("a", 2)]


def test_a_task_that_nobody_timed_stands_in_the_middle() -> None:
    assert pairs(before={"b": 1.0, "c": 9.0})[0] == ("a", 1)


def test_an_order_that_the_user_chose_stays() -> None:
    assert pairs(before={"a": 1.0, "b": 9.0}, shuffled=True)[0] == ("a", 1)


def earlier_run(folder: Path, suite: str = "quickstart", **changes: Any) -> None:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"suite": suite}))
    (folder / "results.jsonl").write_text(make_result(**changes).model_dump_json() + "\n")


def test_rollout_and_grading_of_earlier_runs_count(tmp_path: Path) -> None:
    earlier_run(tmp_path / "one", wall_s=2.0, grade_s=1.0)
    earlier_run(tmp_path / "two", wall_s=6.0, grade_s=1.0)
    assert seconds_before(tmp_path / "now", "quickstart") == {"demo": 5.0}


def test_runs_of_other_suites_tell_nothing(tmp_path: Path) -> None:
    earlier_run(tmp_path / "one", suite="other")
    assert seconds_before(tmp_path / "now", "quickstart") == {}


def test_attempts_that_broke_tell_nothing(tmp_path: Path) -> None:
    earlier_run(tmp_path / "one", outcome=Outcome.INFRA_ERROR)
    assert seconds_before(tmp_path / "now", "quickstart") == {}


def test_a_damaged_run_beside_it_does_not_stop_a_run(tmp_path: Path) -> None:
    earlier_run(tmp_path / "one")
    (tmp_path / "one" / "results.jsonl").write_text("{}\n")
    assert seconds_before(tmp_path / "now", "quickstart") == {}

"""A container that somebody removes from outside costs the try that ran in it, and no more."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import pytest

from evalkit.serving.scripted import scripted_server
from tests.doubles.live_run import LiveRun, live_run
from tests.doubles.solver import endpoint, solves, tasks
from tests.doubles.suites import SLOW_S, SLOW_TEST, own_quickstart

if TYPE_CHECKING:
    from docker import APIClient

TASK = "leap-years"
pytestmark = pytest.mark.row("F1")


class Ended(NamedTuple):
    run: LiveRun
    code: int


@pytest.fixture(scope="module")
def rollout(client: "APIClient", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    folder = tmp_path_factory.mktemp("rollout") / "run"
    with (
        scripted_server(solves({TASK: ["sleep 3"]})) as url,
        live_run(folder, *tasks(TASK), *endpoint(url)) as run,
    ):
        client.remove_container(run.until_it_runs(client, TASK, "sleep 3"), force=True)
        yield Ended(run, run.end())


def test_a_rollout_is_begun_again(rollout: Ended) -> None:
    outcomes = [line["outcome"] for line in rollout.run.results()]
    assert outcomes == ["infra_error", "resolved"], rollout.run.said


def test_the_run_ends_well(rollout: Ended) -> None:
    assert rollout.code == 0, rollout.run.said


def test_the_broken_try_says_what_broke(rollout: Ended) -> None:
    assert "container ended while a command ran" in rollout.run.results()[0]["error"]


def test_the_broken_try_is_kept(rollout: Ended) -> None:
    assert rollout.run.kinds(TASK, "1.1")[-1] == "fault"


def test_the_good_try_came_to_its_end(rollout: Ended) -> None:
    assert rollout.run.kinds(TASK)[-1] == "rollout"


@pytest.fixture(scope="module")
def grading(client: "APIClient", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """The known solution, graded by tests that take long enough to be disturbed."""
    folder = tmp_path_factory.mktemp("grading")
    suite = own_quickstart(folder, f"{TASK}/tests/test_leap.py", SLOW_TEST)
    with live_run(folder / "run", "--suite", str(suite), "-i", TASK, "--agent", "gold") as run:
        client.remove_container(run.until_it_runs(client, TASK, f"sleep {SLOW_S}"), force=True)
        yield Ended(run, run.end())


def test_a_grading_is_begun_again(grading: Ended) -> None:
    (result,) = grading.run.results()
    assert (result["outcome"], result["retry"]) == ("resolved", 1), grading.run.said

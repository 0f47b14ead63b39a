"""Faults of the daemon, while a rollout and a grading are under way: they cost tries, no results."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from evalkit.serving.scripted import Script, Scripted, scripted_server
from tests.doubles.docker_proxy import DockerProxy, docker_proxy
from tests.doubles.live_run import LiveRun, live_run, side_by_side
from tests.doubles.solver import bash, endpoint, solves, task_of, tasks
from tests.doubles.suites import SLOW_S, SLOW_TEST, own_quickstart

if TYPE_CHECKING:
    from docker import APIClient

pytestmark = [pytest.mark.row("F2"), pytest.mark.alone]

GRADING, ROLLING, STARTING, WAITING = (
    "celsius-formula",
    "leap-years",
    "duration-minutes",
    "nested-intervals",
)
"""What is under way with each task as the fault comes, of which two roll out at once."""
COMMAND = "sleep 4"
AWAY_S = 7.0
"""Longer than the daemon is looked at every so often."""
SILENT_S = 16.0
"""Longer than it takes to see that a look is not answered."""


def refuses(proxy: DockerProxy) -> None:
    proxy.refuse()
    time.sleep(AWAY_S)
    proxy.serve()


def restarts(proxy: DockerProxy) -> None:
    proxy.stop()
    time.sleep(AWAY_S)
    proxy.serve()


def hangs(proxy: DockerProxy) -> None:
    proxy.hang()
    time.sleep(SILENT_S)
    proxy.serve()


def drops(proxy: DockerProxy) -> None:
    proxy.drop()


def is_slow(proxy: DockerProxy) -> None:
    proxy.delay(0.3)


AWAY = {fault.__name__: fault for fault in (refuses, restarts, hangs)}
FAULTS = {**AWAY, "drops": drops, "is_slow": is_slow}


class Disturbed(NamedTuple):
    run: LiveRun
    code: int
    containers: list[str]
    """Those that are left."""

    def told(self, what: str) -> float:
        """When the run took note of the daemon's absence or its return, in Unix seconds."""
        (event,) = (event for event in self.run.events(what) if event["what"] == "docker")
        return float(event["t"])


def until_now(now: Event) -> Script:
    """Keep one task's rollout going until it is time for the command that is to be disturbed."""
    solving = solves({ROLLING: [COMMAND], STARTING: ["sleep 2"]})
    assert callable(solving)

    def answer(body: Mapping[str, Any]) -> Scripted:
        if task_of(body) == ROLLING and not now.is_set():
            return bash("sleep 0.5")
        return solving(body)

    return answer


def disturb(client: "APIClient", folder: Path, fault: Callable[[DockerProxy], None]) -> Disturbed:
    """Let the fault come while one attempt's tests run and another's command does."""
    now = Event()
    suite = own_quickstart(folder, f"{GRADING}/tests/test_convert.py", SLOW_TEST)
    with docker_proxy(folder) as proxy, scripted_server(until_now(now)) as url:
        names = tasks(GRADING, ROLLING, STARTING, WAITING, suite=str(suite))
        flags = (*names, "-w", "2", *endpoint(url))
        with live_run(folder / "run", *flags, extra={"DOCKER_HOST": proxy.host}) as run:
            run.until_it_runs(client, GRADING, f"sleep {SLOW_S}")
            now.set()
            run.until_it_runs(client, ROLLING, COMMAND)
            fault(proxy)
            code = run.end()
            return Disturbed(run, code, run.containers(client))


@pytest.fixture(scope="module")
def all_disturbed(
    client: "APIClient", tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Disturbed]:
    def one(fault: str) -> Disturbed:
        return disturb(client, tmp_path_factory.mktemp("disturbed"), FAULTS[fault])

    return side_by_side(one, FAULTS)


@pytest.fixture(params=FAULTS)
def disturbed(request: pytest.FixtureRequest, all_disturbed: dict[str, Disturbed]) -> Disturbed:
    return all_disturbed[request.param]


away = pytest.mark.parametrize("disturbed", AWAY, indirect=True)


def test_every_attempt_is_graded_and_none_is_a_zero(disturbed: Disturbed) -> None:
    last = {result["task_id"]: result["outcome"] for result in disturbed.run.results()}
    names = (GRADING, ROLLING, STARTING, WAITING)
    assert last == dict.fromkeys(names, "resolved"), disturbed.run.said


def test_the_run_ends_well(disturbed: Disturbed) -> None:
    assert disturbed.code == 0, disturbed.run.said


def test_no_container_is_left(disturbed: Disturbed) -> None:
    assert disturbed.containers == []


def test_no_command_is_told_to_have_ended_otherwise_than_it_did(disturbed: Disturbed) -> None:
    answers = [
        line["observation"] for line in disturbed.run.trajectory(ROLLING) if line["kind"] == "tool"
    ]
    assert set(answers) == {"[the command succeeded and printed nothing]"}


@away
def test_no_rollout_starts_while_the_daemon_is_away(disturbed: Disturbed) -> None:
    away, back = disturbed.told("paused"), disturbed.told("resumed")
    begun = [event["t"] for event in disturbed.run.events("rollout")]
    assert [at for at in begun if away < at < back] == []


@away
def test_what_waited_was_begun_once(disturbed: Disturbed) -> None:
    begun = [event for event in disturbed.run.events("rollout") if event["task_id"] == WAITING]
    assert len(begun) == 1


@away
def test_its_absence_and_its_return_are_told(disturbed: Disturbed) -> None:
    words = ("paused: docker: the Docker daemon does not answer", "going on: docker is back")
    assert [word in disturbed.run.said for word in words] == [True, True]

"""A first signal lets a run drain, a second ends it at once; what it prints then goes on with it."""

import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from evalkit.cli.wiring import environment
from evalkit.serving.scripted import Script, Scripted, scripted_server
from tests.doubles.docker_proxy import docker_proxy
from tests.doubles.live_run import LiveRun, live_run, side_by_side
from tests.doubles.solver import bash, endpoint, solves, tasks

if TYPE_CHECKING:
    from docker import APIClient

FIRST, SECOND = "celsius-formula", "leap-years"
"""One rollout at a time: the second waits."""


class Stopped(NamedTuple):
    run: LiveRun
    code: int
    kinds: list[str]
    """Of the lines of the first rollout's trajectory, as the run left it."""
    last: Mapping[str, Any]
    begun: list[str]
    """Tasks of which something was begun."""
    containers: list[str]
    goes_on: LiveRun
    then: int
    """How the printed command ended."""
    later: list[str]
    """Containers that are left after that."""


def until_told(told: Event, command: str) -> Script:
    """Give the same command without end, until the tasks may be solved."""
    solving = solves()
    assert callable(solving)

    def answer(body: Mapping[str, Any]) -> Scripted:
        return solving(body) if told.is_set() else bash(command)

    return answer


def printed_command(run: LiveRun) -> list[str]:
    _, _, after = run.said.partition("Go on with\n")
    return shlex.split(after.strip().splitlines()[0])


def stop(
    folder: Path,
    client: "APIClient",
    command: str,
    signals: list[signal.Signals],
    *,
    silent: bool = False,
) -> Stopped:
    """Stop a run in its first rollout, and do then what it says.

    The daemon falls silent before, where it shall, and answers again afterwards.
    """
    told = Event()
    with docker_proxy(folder) as proxy, scripted_server(until_told(told, command)) as url:
        arguments = (*tasks(FIRST, SECOND), "-w", "1", *endpoint(url))
        with live_run(folder / "run", *arguments, extra={"DOCKER_HOST": proxy.host}) as run:
            run.until_it_runs(client, FIRST, command)
            if silent:
                proxy.hang()
            for number in signals:
                run.send(number)
                run.until(lambda: "stopping" in run.said)
            code = run.end(50)
            lines = run.trajectory(FIRST)
            left = run.containers(client)
            begun = sorted(path.name for path in (run.folder / "tasks").iterdir())
        told.set()
        proxy.serve()
        path = f"{Path(sys.executable).parent}:{environment()['PATH']}"
        goes_on = LiveRun(printed_command(run), run.folder, {"PATH": path})
        return Stopped(
            run=run,
            code=code,
            kinds=[line["kind"] for line in lines],
            last=lines[-1],
            begun=begun,
            containers=left,
            goes_on=goes_on,
            then=goes_on.end(),
            later=run.containers(client),
        )


DRAINED = {"G3-sigint": signal.SIGINT, "G4-sigterm": signal.SIGTERM}
FORCED = {"G3-sigint twice": False, "G3-sigint twice, daemon silent": True}
CODES = {"G3-sigint": 130, "G4-sigterm": 143, **dict.fromkeys(FORCED, 130)}


@pytest.fixture(scope="module")
def all_stopped(
    client: "APIClient", tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Stopped]:
    def one(name: str) -> Stopped:
        folder = tmp_path_factory.mktemp("stopped")
        if name in FORCED:
            twice = [signal.SIGINT] * 2
            return stop(folder, client, "sleep 61", twice, silent=FORCED[name])
        return stop(folder, client, "sleep 0.2", [DRAINED[name]])

    return side_by_side(one, CODES)


@pytest.fixture(params=CODES)
def stopped(request: pytest.FixtureRequest, all_stopped: dict[str, Stopped]) -> Stopped:
    return all_stopped[request.param]


drained = pytest.mark.parametrize("stopped", DRAINED, indirect=True)


@pytest.mark.parametrize(("stopped", "code"), CODES.items(), ids=list(CODES), indirect=["stopped"])
def test_the_exit_code_is_that_of_the_signal(stopped: Stopped, code: int) -> None:
    assert stopped.code == code, stopped.run.said


@pytest.mark.parametrize("stopped", [*DRAINED, "G3-sigint twice"], indirect=True)
def test_no_container_is_left(stopped: Stopped) -> None:
    assert stopped.containers == []


def test_what_a_silent_daemon_kept_goes_with_the_next_session(stopped: Stopped) -> None:
    assert stopped.later == []


def test_nothing_new_is_begun(stopped: Stopped) -> None:
    assert stopped.begun == [FIRST]


@drained
def test_a_rollout_under_way_ends_at_its_next_turn(stopped: Stopped) -> None:
    assert (stopped.last["kind"], stopped.last.get("reason")) == ("stop", "interrupted")


@drained
def test_the_command_that_ran_came_to_its_end(stopped: Stopped) -> None:
    assert stopped.kinds.count("tool") == stopped.kinds.count("turn")


def test_the_printed_command_completes_the_run(stopped: Stopped) -> None:
    assert stopped.then == 0, stopped.goes_on.said


def test_afterwards_every_attempt_has_one_result(stopped: Stopped) -> None:
    found = [(line["task_id"], line["outcome"]) for line in stopped.run.results()]
    assert sorted(found) == [(FIRST, "resolved"), (SECOND, "resolved")]

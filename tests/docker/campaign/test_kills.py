"""Killed at any instant and gone on with, a run comes to what it would have come to undisturbed.

`--kills N` says how often runs are killed; `make soak` does so for long.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from evalkit.serving.scripted import scripted_server
from tests.docker.cli.conftest import Evalkit
from tests.doubles.live_run import LiveRun, live_run
from tests.doubles.solver import endpoint, solves, tasks

if TYPE_CHECKING:
    from docker import APIClient

SEED = 6
ATTEMPTS = 2
SHARE = 0.7
"""At most so much of the time that an undisturbed run takes passes before a session is killed."""
WARM = 0.8
"""Share of sessions that are let come so far."""
TIMINGS = {"queue_s", "setup_s", "ttft_s", "llm_s", "tool_s", "grade_s", "wall_s"}
TASKS = ("celsius-formula", "leap-years", "nested-intervals")
FIRST = {task: [f"echo {task} >note; ls"] for task in TASKS}
pytestmark = pytest.mark.row("G1")


class Killed(NamedTuple):
    undisturbed: Path
    completed: list[Path]
    """Runs that were killed, and came to their end after all."""
    sessions: list[LiveRun]
    containers: list[str]
    """Those left after `evalkit clean`."""


def results(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of results.jsonl in the order of tasks, without what was measured."""
    lines = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    lines.sort(key=lambda line: (line["task_id"], line["attempt"]))
    return [{key: line[key] for key in line.keys() - TIMINGS} for line in lines]


def trajectories(folder: Path) -> dict[str, list[object]]:
    """Return what was done and seen in the last try of each attempt."""
    keys = ("kind", "turn", "text", "arguments", "observation", "reason")
    return {
        f"{path.parts[-3]} #{path.parts[-2]}": [
            [line.get(key) for key in keys]
            for line in map(json.loads, path.read_text().splitlines())
        ]
        for path in folder.glob("tasks/*/*/trajectory.jsonl")
        if path.parts[-2].isdecimal()
    }


def took_s(folder: Path) -> float:
    times = [json.loads(line)["t"] for line in (folder / "events.jsonl").read_text().splitlines()]
    return float(times[-1] - times[0])


def kill_at_random(run: LiveRun, instants: random.Random, longest_s: float) -> bool:
    """Kill a session, sometimes while it only starts; whether that was its end."""
    before = len(run.events("began"))
    if instants.random() < WARM:
        while len(run.events("began")) == before and run.process.poll() is None:
            time.sleep(0.01)
    time.sleep(instants.uniform(0, longest_s))
    run.process.kill()
    code = run.process.wait()
    assert code in {0, -9}, run.said
    return code == -9


def kill_often(
    root: Path, command: Sequence[str], kills: int, longest_s: float
) -> tuple[list[Path], list[LiveRun]]:
    """Kill one run after the other, each until it comes to its end; then let the last do so."""
    instants = random.Random(SEED)
    sessions: list[LiveRun] = []
    folders: list[Path] = []
    killed, ended = 0, True
    while killed < kills or not ended:
        if ended:
            folders.append(root / f"killed-{len(folders) + 1}")
        resume = [] if ended else ["--resume"]
        with live_run(folders[-1], *command, *resume) as run:
            sessions.append(run)
            may_end = killed == kills or not kill_at_random(run, instants, longest_s)
            ended = may_end and run.end() == 0
        killed += not ended
    return folders, sessions


@pytest.fixture(scope="module")
def killed(
    request: pytest.FixtureRequest,
    client: "APIClient",
    evalkit: Evalkit,
    tmp_path_factory: pytest.TempPathFactory,
) -> Killed:
    root = tmp_path_factory.mktemp("kills")
    what = (*tasks(*TASKS), "-k", str(ATTEMPTS), "-w", "2")
    with scripted_server(solves(FIRST)) as url:
        recorded = evalkit("run", *what, *endpoint(url), "-o", str(root / "recorded"))
    assert recorded.returncode == 0, recorded.stderr
    replay = (*what, "--agent", f"replay:{root / 'recorded'}")
    undisturbed = evalkit("run", *replay, "-o", str(root / "undisturbed"))
    assert undisturbed.returncode == 0, undisturbed.stderr
    longest_s = SHARE * took_s(root / "undisturbed")
    folders, sessions = kill_often(root, replay, request.config.getoption("kills"), longest_s)
    evalkit("clean")
    left = [name for session in sessions for name in session.containers(client)]
    return Killed(root / "undisturbed", folders, sessions, left)


def test_as_many_sessions_were_killed_as_asked_for(
    killed: Killed, request: pytest.FixtureRequest
) -> None:
    codes = Counter(session.process.returncode for session in killed.sessions)
    assert codes[-9] == request.config.getoption("kills")


def test_no_attempt_is_missing_and_none_has_two_results(killed: Killed) -> None:
    wanted = Counter(product(TASKS, range(1, ATTEMPTS + 1)))
    found = [
        Counter((line["task_id"], line["attempt"]) for line in results(folder))
        for folder in killed.completed
    ]
    assert found == [wanted] * len(found)


def test_results_are_those_of_the_undisturbed_run_but_for_timings(killed: Killed) -> None:
    undisturbed = results(killed.undisturbed)
    assert [results(folder) for folder in killed.completed] == [undisturbed] * len(killed.completed)


def test_so_are_the_trajectories(killed: Killed) -> None:
    undisturbed = trajectories(killed.undisturbed)
    assert len(undisturbed) == len(TASKS) * ATTEMPTS
    assert [trajectories(folder) for folder in killed.completed] == [undisturbed] * len(
        killed.completed
    )


def test_after_clean_no_container_is_left(killed: Killed) -> None:
    assert killed.containers == []

"""A run whose folder's disk fills up on the way: it waits, or is stopped, and loses nothing."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from threading import Event, Timer

import pytest
from pydantic import JsonValue

from evalkit.campaign import Boundaries
from evalkit.cli.execute import execute
from evalkit.cli.host import AwaitRoom, Host, low_disk
from evalkit.cli.settled import Run
from evalkit.cli.signals import Stopper
from evalkit.config.runner import load_runner
from evalkit.errors import StoreError
from evalkit.serving.admission import Gate
from evalkit.store import RunFolder
from evalkit.store.lines import json_lines
from evalkit.types import Result, StopReason, Submission, Task
from tests.doubles.campaign import FakeParts
from tests.doubles.small_disk import SmallDisk, small_disk
from tests.doubles.synthetic import SyntheticContainers
from tests.doubles.tasks import make_task

pytestmark = pytest.mark.row("F4")


class Containers(SyntheticContainers):
    """Those whose image is taken to be the one that was graded with."""

    def digest(self, image: str) -> None: ...


TASKS = tuple(make_task(id=f"task-{number}") for number in range(12))
SOON_S = 0.5
Results = dict[tuple[str, int], Result]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path) as disk:
        yield disk


def parts(in_the_middle: Callable[[], None]) -> FakeParts:
    """Parts whose rollouts leave a few blocks each, and one of which does something first."""

    def solve(task: Task, attempt: int) -> Submission:
        if (task.id, attempt) == ("task-5", 1):
            in_the_middle()
        patch = f"{task.id} {attempt}\n" * 300
        return Submission(task_id=task.id, attempt=attempt, patch=patch, stop=StopReason.SUBMITTED)

    return FakeParts(solve_with=solve, calls=["cat setup.py" * 100] * 3, tasks_=TASKS)


def run(folder: Path, fake: FakeParts, stopper: Stopper, *, resume: bool = False) -> Results:
    settled = Run(
        id="run",
        folder=folder,
        suite=fake,
        runner=load_runner("quickstart", ["concurrency.rollouts=4"]),
        agent="fake",
        model="fake",
        command="",
        tasks=TASKS,
        attempts=2,
        resume=resume,
    )
    host = Host(
        containers=lambda _run, _folder: nullcontext(Containers()),
        checks=lambda _run: {"disk": lambda: low_disk(folder, 1)},
    )
    results = execute(settled, lambda _folder, _gate: nullcontext(fake), stopper, host)
    return {(one.task_id, one.attempt): one.model_copy(update={"queue_s": 0.0}) for one in results}


@pytest.fixture
def undisturbed(tmp_path: Path) -> Results:
    return run(tmp_path / "undisturbed", parts(lambda: None), Stopper())


def fill_for_a_while(disk: SmallDisk) -> None:
    disk.fill()
    Timer(SOON_S, disk.empty).start()


def test_a_run_that_meets_a_full_disk_comes_to_the_same_results(
    disk: SmallDisk, undisturbed: Results
) -> None:
    fake = parts(lambda: fill_for_a_while(disk))
    assert run(disk.path / "run", fake, Stopper()) == undisturbed


def test_a_run_that_meets_a_full_disk_says_that_it_waits(
    disk: SmallDisk, capsys: pytest.CaptureFixture[str]
) -> None:
    run(disk.path / "run", parts(lambda: fill_for_a_while(disk)), Stopper())
    assert "No space left on device: waiting for room" in capsys.readouterr().err


def test_a_run_that_met_a_full_disk_lost_no_line(disk: SmallDisk) -> None:
    run(disk.path / "run", parts(lambda: fill_for_a_while(disk)), Stopper())
    turns = [list(json_lines(path)) for path in disk.path.glob("run/tasks/*/*/trajectory.jsonl")]
    assert [len(lines) for lines in turns] == [5] * 24


def stop_soon() -> None:
    Timer(SOON_S, os.kill, (os.getpid(), signal.SIGINT)).start()


def stopped(disk: SmallDisk) -> None:
    """Carry out a run that meets a full disk, and is stopped while it waits."""

    def fill() -> None:
        disk.fill()
        stop_soon()

    stopper = Stopper()
    with stopper.listening(), pytest.raises(StoreError):
        run(disk.path / "run", parts(fill), stopper)


def test_a_run_that_is_stopped_while_the_disk_is_full_ends_with_whole_lines(
    disk: SmallDisk,
) -> None:
    stopped(disk)
    files = [path.read_bytes() for path in disk.path.glob("run/**/*.jsonl")]
    lines = [line for content in files for line in content.splitlines(keepends=True)]
    assert [line for line in lines if not line.endswith(b"}\n")] == []


def test_a_run_that_was_stopped_while_the_disk_was_full_goes_on_to_the_same_results(
    disk: SmallDisk, undisturbed: Results
) -> None:
    stopped(disk)
    disk.empty()
    again = run(disk.path / "run", parts(lambda: None), Stopper(), resume=True)
    assert again == undisturbed


def test_with_less_room_than_is_to_stay_free_no_rollout_starts(disk: SmallDisk) -> None:
    told = []
    stopping = Event()
    gate = Gate(1, stopping, lambda kind, **facts: told.append((kind, facts.get("what"))))
    disk.fill(but=2 * 2**20)
    with Boundaries({"disk": lambda: low_disk(disk.path, 3)}, gate, stopping, every_s=0.05):
        Timer(SOON_S, disk.empty).start()
        with gate.slot():
            told.append(("rollout", None))
    assert told == [("paused", "disk"), ("resumed", "disk"), ("rollout", None)]


def test_why_no_rollout_starts_is_said_in_mib(disk: SmallDisk) -> None:
    disk.fill(but=2 * 2**20)
    assert low_disk(disk.path, 3) == f"2 MiB are free at {disk.path}, less than 3"


def test_a_pause_that_cannot_be_written_down_as_the_run_is_stopped_is_no_defect(
    disk: SmallDisk,
) -> None:
    stopping, away, paused = Event(), Event(), Event()
    with RunFolder(disk.path / "run", await_room=AwaitRoom(stopping)) as folder:

        def note(kind: str, **facts: JsonValue) -> None:
            disk.fill()
            paused.set()
            folder.event(kind, **facts)

        gate = Gate(1, stopping, note)
        checks = {"docker": lambda: "it does not answer" if away.is_set() else None}
        with Boundaries(checks, gate, stopping, every_s=0.05):
            away.set()
            paused.wait()
            stopping.set()
    assert (disk.path / "run" / "events.jsonl").read_bytes() == b""

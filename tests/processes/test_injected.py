"""A run that is killed at any of its writes, or whose disk fails it, comes to what it would have.

Killed by strace just before a call: so the state between every two writes is met once.
"""

import re
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.doubles.run_state import RunState, kept_rollouts, run_state, torn_files
from tests.doubles.sessions import Sessions

CALLS = ("mkdir", "write", "fsync", "rename", "ftruncate")
RUN = ("--tasks=1", "--one-by-one")
_TRACED = re.compile(r'(\d+) +(\w+)\((?:\d+<|")([^">]+)')


class Point(NamedTuple):
    """The nth of such calls on a file that a thread makes; the path is relative to the run's."""

    call: str
    path: str
    nth: int

    def strace(self, folder: Path, fault: str) -> list[str | Path]:
        """Return options that make it fail, or the run's last call."""
        inject = f"inject={self.call}:{fault}"
        return ["-o", "/dev/null", "-P", folder / self.path, f"-etrace={self.call}", "-e", inject]


@pytest.fixture(scope="module")
def undisturbed(forks: Sessions, tmp_path_factory: pytest.TempPathFactory) -> RunState:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert forks.run(folder, *RUN) == 0
    return run_state(folder)


@pytest.fixture(scope="module")
def points(forks: Sessions, tmp_path_factory: pytest.TempPathFactory) -> list[Point]:
    return traced(forks, tmp_path_factory.mktemp("traced") / "run")


@pytest.fixture(scope="module")
def broken_off(forks: Sessions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed in its rollout, and has torn lines."""
    folder = tmp_path_factory.mktemp("broken_off") / "run"
    point = Point("write", "tasks/task-0/1/trajectory.jsonl", 3)
    assert forks.traced(point.strace(folder, "signal=SIGKILL:when=3"), folder, *RUN) == -9
    for path in folder.rglob("*.jsonl"):
        with path.open("ab") as file:
            file.write(b'{"torn')
    (folder / "results.jsonl").write_bytes(b'{"torn')
    return folder


def traced(forks: Sessions, folder: Path) -> list[Point]:
    """Let a session run to its end; return each call that it made on the run folder."""
    trace = folder.with_name("trace")
    options: list[str | Path] = ["-y", "-o", trace, f"-etrace={','.join(CALLS)}"]
    assert forks.traced(options, folder, *RUN) == 0
    lines = trace.read_text().splitlines()
    made = Counter(found.groups() for line in lines if (found := _TRACED.match(line)))
    most: dict[tuple[str, str], int] = {}
    for (_thread, call, path), times in made.items():
        if Path(path).is_relative_to(folder):
            key = call, str(Path(path).relative_to(folder))
            most[key] = max(times, most.get(key, 0))
    return [Point(*key, nth) for key, times in most.items() for nth in range(1, times + 1)]


def ends_well(forks: Sessions, folder: Path, undisturbed: RunState) -> bool:
    """Go on with a run; whether it comes to what it would have come to undisturbed."""
    kept, asked = kept_rollouts(folder), folder.with_name("asked")
    asked.unlink(missing_ok=True)
    code = forks.run(folder, *RUN, f"--asked={asked}")
    again = kept and asked.exists()
    return not code and not again and run_state(folder) == undisturbed and not torn_files(folder)


def not_survived(
    forks: Sessions, points: Sequence[Point], folder: Path, undisturbed: RunState
) -> list[Point]:
    """Kill a run at each of the points; return those after which it does not come to the same."""
    wrong = []
    for number, point in enumerate(points):
        copy = folder.with_name(str(number)) / "run"
        if folder.exists():
            shutil.copytree(folder, copy)
        strace = point.strace(copy, f"signal=SIGKILL:when={point.nth}")
        if forks.traced(strace, copy, *RUN) != -9 or not ends_well(forks, copy, undisturbed):
            wrong.append(point)
    return wrong


@pytest.mark.parametrize("call", ["mkdir", "write", "fsync", "rename"])
def test_a_run_survives_a_kill_at_each_of_its_calls(
    forks: Sessions, points: list[Point], undisturbed: RunState, tmp_path: Path, call: str
) -> None:
    those = [point for point in points if point.call == call]
    assert not_survived(forks, those, tmp_path / "run", undisturbed) == []


def test_a_run_that_is_gone_on_with_survives_a_kill_at_what_it_does_besides(
    forks: Sessions, points: list[Point], undisturbed: RunState, broken_off: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(broken_off, tmp_path / "traced" / "run")
    besides = set(traced(forks, tmp_path / "traced" / "run")) - set(points)
    shutil.copytree(broken_off, folder)
    assert not_survived(forks, sorted(besides), folder, undisturbed) == []


ATTEMPT = "tasks/task-0/1"
FAILING = [
    Point("mkdir", ATTEMPT, 1),
    Point("write", ".run.json.new", 2),
    Point("fsync", "events.jsonl", 1),
    Point("write", f"{ATTEMPT}/trajectory.jsonl", 2),
    Point("fsync", f"{ATTEMPT}/trajectory.jsonl", 1),
    Point("write", f"{ATTEMPT}/patch.diff", 1),
    Point("fsync", f"{ATTEMPT}/evidence.json", 1),
    Point("fsync", ATTEMPT, 1),
    Point("write", "results.jsonl", 1),
    Point("fsync", "results.jsonl", 1),
    Point("rename", ".preds.jsonl.new", 1),
]
"""One of each kind."""
WITHOUT_ROOM = [
    Point("write", f"{ATTEMPT}/trajectory.jsonl", 2),
    Point("fsync", f"{ATTEMPT}/trajectory.jsonl", 1),
    Point("write", "results.jsonl", 1),
    Point("rename", ".preds.jsonl.new", 1),
]


def title(point: Point) -> str:
    return f"{point.call} {point.path}"


class Failed(NamedTuple):
    """A run one of whose writes failed."""

    point: Point
    folder: Path
    code: int
    said: str

    def named(self) -> Path:
        """The file that a user knows: not the one it was to be renamed from."""
        path = self.folder / self.point.path
        return path.with_name(path.name.removeprefix(".").removesuffix(".new"))


@pytest.fixture(scope="module", params=FAILING, ids=title)
def failed(
    request: pytest.FixtureRequest, forks: Sessions, tmp_path_factory: pytest.TempPathFactory
) -> Failed:
    point: Point = request.param
    folder = tmp_path_factory.mktemp("failed") / "run"
    forks.log.write_bytes(b"")
    code = forks.traced(point.strace(folder, f"error=EIO:when={point.nth}"), folder, *RUN)
    return Failed(point, folder, code, forks.log.read_text())


def test_a_write_that_fails_ends_the_run_with_the_name_of_the_file(failed: Failed) -> None:
    said = f"cannot write {failed.named()}: Input/output error"
    assert (failed.code, said in failed.said) == (3, True), failed.said


def test_a_write_that_failed_costs_nothing_but_to_go_on(
    failed: Failed, forks: Sessions, undisturbed: RunState
) -> None:
    assert ends_well(forks, failed.folder, undisturbed)


@pytest.mark.parametrize("point", WITHOUT_ROOM, ids=title)
def test_a_full_disk_is_waited_for(
    forks: Sessions, tmp_path: Path, undisturbed: RunState, point: Point
) -> None:
    strace = point.strace(tmp_path / "run", f"error=ENOSPC:when={point.nth}..{point.nth + 1}")
    code = forks.traced(strace, tmp_path / "run", *RUN)
    assert (code, run_state(tmp_path / "run")) == (0, undisturbed)

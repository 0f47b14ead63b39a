"""A run folder on a disk without room: what is to be written waits, and nothing is lost."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import pytest

from evalkit.errors import StoreError
from evalkit.store import RunFolder
from evalkit.types import EngineSample, Replica, RolledOut
from tests.doubles.finished import make_finished, make_rolled
from tests.doubles.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.row("F4")

LITTLE = 8 * 1024
LONG = "x" * 20_000
"""More than there is room for, so that a part of it is written."""
MANY = (Replica(),) * 500
WRITES: dict[str, Callable[[RunFolder], object]] = {
    "run.json": lambda folder: folder.describe(long=LONG),
    "events.jsonl": lambda folder: folder.event("long", text=LONG),
    "engine.jsonl": lambda folder: folder.engine_sample(EngineSample(t=1.0, replicas=MANY)),
    "trajectory.jsonl": lambda folder: folder.trajectory("demo", 1)({"long": LONG}),
    "end of a rollout": lambda folder: end(folder, make_rolled(LONG)),
    "results.jsonl": lambda folder: folder.finish(make_finished(LONG)),
    "preds.jsonl": lambda folder: folder.predict(folder.results().values()),
}


def end(folder: RunFolder, rolled: RolledOut) -> None:
    folder.trajectory("demo", 1)
    folder.roll_out(rolled)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path) as disk:
        yield disk


class MakesRoom:
    """Makes room when it is asked for the third time."""

    def __init__(self, disk: SmallDisk) -> None:
        self._disk, self._lock = disk, Lock()
        self.asked = 0

    def __call__(self, error: StoreError) -> bool:
        with self._lock:
            self.asked += 1
            if self.asked % 3 == 0:
                self._disk.empty()
        return True


def begin(folder: RunFolder) -> None:
    """Let each file be there, with something in it."""
    folder.describe(model="m")
    folder.event("began")
    folder.engine_sample(EngineSample(t=0.0))
    folder.finish(make_finished(LONG, task_id="first"))


def content(path: Path) -> dict[str, bytes]:
    files = (one for one in path.rglob("*") if one.is_file() and not one.name.startswith("."))
    return {str(one.relative_to(path)): one.read_bytes() for one in files}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_waits_for_room(disk: SmallDisk, name: str) -> None:
    room = MakesRoom(disk)
    with RunFolder(disk.path / "run", await_room=room) as folder:
        begin(folder)
        disk.fill(but=LITTLE)
        WRITES[name](folder)
    assert room.asked == 3


@pytest.mark.parametrize("name", WRITES)
def test_what_waited_for_room_is_written_as_elsewhere(
    disk: SmallDisk, tmp_path: Path, name: str
) -> None:
    with RunFolder(disk.path / "run", await_room=MakesRoom(disk)) as folder:
        begin(folder)
        disk.fill(but=LITTLE)
        WRITES[name](folder)
    with RunFolder(tmp_path / "run") as folder:
        begin(folder)
        WRITES[name](folder)
    assert timeless(content(disk.path / "run")) == timeless(content(tmp_path / "run"))


def timeless(files: dict[str, bytes]) -> dict[str, bytes]:
    events = [json.loads(line) for line in files["events.jsonl"].splitlines()]
    lines = [json.dumps({**event, "t": 0}).encode() for event in events]
    return {**files, "events.jsonl": b"\n".join(lines)}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_nobody_waits_for_is_refused(disk: SmallDisk, name: str) -> None:
    with RunFolder(disk.path / "run") as folder:
        begin(folder)
        disk.fill(but=LITTLE)
        with pytest.raises(StoreError, match="No space left on device"):
            WRITES[name](folder)


@pytest.mark.parametrize("name", WRITES)
def test_of_a_refused_write_no_line_stays(disk: SmallDisk, name: str) -> None:
    with RunFolder(disk.path / "run") as folder:
        begin(folder)
        before = content(disk.path / "run")
        disk.fill(but=LITTLE)
        with pytest.raises(StoreError):
            WRITES[name](folder)
    after = content(disk.path / "run")
    assert {path: after[path] for path in before} == before


def test_a_folder_is_begun_once_there_is_room(disk: SmallDisk) -> None:
    disk.fill()
    with RunFolder(disk.path / "run", await_room=MakesRoom(disk)) as folder:
        folder.describe(model="m")
    assert (disk.path / "run" / "run.json").exists()


def test_lines_of_many_threads_are_each_there_once(disk: SmallDisk) -> None:
    def tell(number: int) -> None:
        if number % 10 == 5:
            disk.fill()
        folder.event("told", number=number, text="x" * 3000)

    with RunFolder(disk.path / "run", await_room=MakesRoom(disk)) as folder:
        folder.describe(model="m")
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(tell, range(60)))
    lines = (disk.path / "run" / "events.jsonl").read_text().splitlines()
    assert Counter(json.loads(line)["number"] for line in lines) == Counter(range(60))

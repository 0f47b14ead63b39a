"""Lines that come while the disk is waited for go to it together."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TypeVar

import pytest

from evalkit.errors import StoreError
from evalkit.store import RunFolder
from evalkit.store.files import Files, Lines
from tests.unit.store.test_run_folder import lines as read

T = TypeVar("T")


class SlowDisk(Files):
    """Lets a write wait until `ready` is set, and has it fail then where `broken` is."""

    def __init__(self) -> None:
        super().__init__(lambda _: False)
        self.ready = Event()
        self.broken = False
        self.writes = 0

    def insist(self, path: Path, write: Callable[[], T]) -> T:
        self.writes += 1
        assert self.ready.wait(10)
        if self.broken:
            raise StoreError(f"cannot write {path}")
        return super().insist(path, write)


class Written:
    """Four lines of four threads: the first is being written as the others come."""

    def __init__(self, path: Path, *, broken: bool = False) -> None:
        disk = SlowDisk()
        disk.ready.set()
        self.path = path / "lines.jsonl"
        lines = Lines(self.path, disk, at_once=True)
        disk.ready.clear()
        disk.broken, disk.writes = broken, 0
        with ThreadPoolExecutor(4) as threads:
            self.told: list[Future[None]] = [threads.submit(lines.write, b"0\n")]
            until(lambda: disk.writes == 1)
            self.told += [threads.submit(lines.write, b"%d\n" % number) for number in (1, 2, 3)]
            until(lambda: len(lines._waiting) == 3)
            disk.ready.set()
        self.writes = disk.writes
        disk.broken = False
        lines.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_what_came_in_the_meantime_is_one_write(tmp_path: Path) -> None:
    assert Written(tmp_path).writes == 2


def test_each_line_is_there_once(tmp_path: Path) -> None:
    assert sorted(Written(tmp_path).path.read_bytes().split()) == [b"0", b"1", b"2", b"3"]


def test_all_whose_lines_could_not_be_written_are_told(tmp_path: Path) -> None:
    told = Written(tmp_path, broken=True).told
    assert [type(one.exception()) for one in told] == [StoreError] * 4


def test_lines_of_many_threads_are_whole(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder, ThreadPoolExecutor(8) as threads:
        for number in range(200):
            threads.submit(folder.event, "one", number=number, text="x" * number)
    assert {line["number"] for line in read(tmp_path / "events.jsonl")} == set(range(200))


def test_a_line_behind_the_end_is_refused(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "lines.jsonl", Files(lambda _: False), at_once=True)
    lines.close()
    with pytest.raises(StoreError, match="is closed"):
        lines.write(b"late\n")

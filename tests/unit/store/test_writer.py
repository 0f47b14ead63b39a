"""One writer at a time, and none after the end."""

import fcntl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread, Timer

import pytest

from evalkit.errors import StoreError
from evalkit.store import RunFolder
from evalkit.store.folder import is_written
from evalkit.store.lines import json_lines
from evalkit.types import EngineSample
from tests.doubles.finished import make_finished, make_rolled

WRITES: dict[str, Callable[[RunFolder], object]] = {
    "describe": lambda folder: folder.describe(suite="s"),
    "event": lambda folder: folder.event("late"),
    "engine_sample": lambda folder: folder.engine_sample(EngineSample(t=1.0)),
    "trajectory": lambda folder: folder.trajectory("late", 1),
    "again": lambda folder: folder.trajectory("demo", 1),
    "roll_out": lambda folder: folder.roll_out(make_rolled()),
    "finish": lambda folder: folder.finish(make_finished()),
    "predict": lambda folder: folder.predict([]),
}


def content(path: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in path.rglob("*") if one.is_file()}


def ended(path: Path) -> RunFolder:
    with RunFolder(path) as folder:
        folder.event("early")
        folder.trajectory("demo", 1)({"kind": "turn"})
    return folder


@pytest.mark.parametrize("what", WRITES)
def test_after_the_end_nothing_is_written(tmp_path: Path, what: str) -> None:
    folder = ended(tmp_path)
    before = content(tmp_path)
    with suppress(StoreError):
        WRITES[what](folder)
    assert content(tmp_path) == before


@pytest.mark.parametrize("what", WRITES)
def test_a_writer_that_comes_too_late_is_told(tmp_path: Path, what: str) -> None:
    folder = ended(tmp_path)
    with pytest.raises(StoreError, match="is closed"):
        WRITES[what](folder)


def test_a_rollout_that_outlives_its_run_is_told(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        record = folder.trajectory("demo", 1)
    with pytest.raises(StoreError, match=r"trajectory\.jsonl is closed"):
        record({"kind": "turn"})


def test_a_rollout_that_outlives_its_end_is_told(folder: RunFolder) -> None:
    record = folder.trajectory("demo", 1)
    folder.roll_out(make_rolled())
    with pytest.raises(StoreError, match=r"trajectory\.jsonl is closed"):
        record({"kind": "turn"})


def test_a_try_writes_into_its_own_file_alone(folder: RunFolder) -> None:
    first = folder.trajectory("demo", 1)
    folder.trajectory("demo", 1)
    with suppress(StoreError):
        first({"kind": "turn"})
    assert (folder.path / "tasks/demo/1/trajectory.jsonl").read_bytes() == b""


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run"), pytest.raises(StoreError, match="another evalkit"):
        RunFolder(tmp_path / "run").__enter__()


def test_a_folder_that_nobody_wrote_is_not_written(tmp_path: Path) -> None:
    assert not is_written(tmp_path)


def test_a_folder_is_written_while_its_writer_lives(tmp_path: Path) -> None:
    with RunFolder(tmp_path):
        assert is_written(tmp_path)


def test_a_folder_whose_writer_ended_is_not_written(tmp_path: Path) -> None:
    with RunFolder(tmp_path):
        pass
    assert not is_written(tmp_path)


def test_a_writer_waits_a_moment_for_who_only_asks(tmp_path: Path) -> None:
    with RunFolder(tmp_path):
        pass
    asking = (tmp_path / ".lock").open()
    fcntl.flock(asking, fcntl.LOCK_SH)
    Timer(0.2, asking.close).start()
    with RunFolder(tmp_path):
        assert asking.closed


def test_who_asks_whether_a_folder_is_written_keeps_no_writer_out(tmp_path: Path) -> None:
    enough, begun = Event(), 0

    def ask() -> None:
        while not enough.is_set():
            is_written(tmp_path)

    asking = [Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    try:
        for _ in range(10):
            with RunFolder(tmp_path):
                begun += 1
    finally:
        enough.set()
        for thread in asking:
            thread.join()
    assert begun == 10


def test_lines_of_many_threads_are_whole(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder, ThreadPoolExecutor(8) as threads:
        for number in range(200):
            threads.submit(folder.event, "one", number=number, text="x" * number)
    lines = [line for _, line in json_lines(tmp_path / "events.jsonl")]
    assert {line["number"] for line in lines} == set(range(200))

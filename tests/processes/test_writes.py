"""A real process writes a run folder; one of its system calls fails, or is its last."""

import json
import subprocess
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from evalkit.store import RunFolder
from evalkit.store.lines import json_lines, read_manifest
from tests.doubles.faults import run_with_faults
from tests.doubles.finished import make_rolled
from tests.doubles.writer import TASKS, finished, main

Done = subprocess.CompletedProcess[str]


def written(path: Path, *faults: str, only: str = "", waits: bool = True) -> Done:
    argv = ["-m", "tests.doubles.writer", str(path), *(["--waits"] if waits else [])]
    return run_with_faults(argv, *faults, only=path / only if only else None)


def lines(path: Path, name: str) -> list[str]:
    """What the lines of a file are about, in their order."""
    return [str(line.get("task_id")) for _, line in json_lines(path / name)]


FULL = {
    "write over quota": (["write:error=EDQUOT:when=1"], "events.jsonl"),
    "fsync without room": (["fsync:error=ENOSPC:when=2"], "results.jsonl"),
    "line that does not go": (
        ["fsync:error=ENOSPC:when=2", "ftruncate:error=ENOSPC:when=1"],
        "results.jsonl",
    ),
    "trajectory": (["fsync:error=ENOSPC:when=1"], "tasks/a/1/trajectory.jsonl"),
    "rename": (["rename:error=ENOSPC:when=1"], "tasks/b/1/.patch.diff.new"),
    "file of an attempt": (["write:error=ENOSPC:when=1"], "tasks/a/1/patch.diff"),
    "new folder": (["mkdir:error=ENOSPC:when=1"], "tasks"),
    "new file": (["openat:error=ENOSPC:when=1"], "events.jsonl"),
    "name of a new file": (["fsync:error=ENOSPC:when=3"], "."),
    "lock": (["openat:error=ENOSPC:when=1"], ".lock"),
}
"""By what has no room: which calls, and on what file or folder."""


@pytest.mark.row("F4")
@pytest.mark.parametrize("what", FULL)
def test_what_had_no_room_for_a_moment_is_there_once(tmp_path: Path, what: str) -> None:
    faults, only = FULL[what]
    done = written(tmp_path, *faults, only=only)
    assert ("full: " in done.stdout, done.returncode) == (True, 0), done.stderr
    assert {name: lines(tmp_path, name) for name in ("events.jsonl", "results.jsonl")} == {
        "events.jsonl": list(TASKS),
        "results.jsonl": list(TASKS),
    }


@pytest.mark.row("F4")
@pytest.mark.parametrize("what", FULL)
def test_where_nobody_waits_for_room_no_half_of_it_is_in_the_way(tmp_path: Path, what: str) -> None:
    faults, only = FULL[what]
    refused = written(tmp_path, *faults, only=only, waits=False)
    again = main(tmp_path, waits=False)
    assert (refused.returncode, again, lines(tmp_path, "results.jsonl")) == (1, 0, list(TASKS))


@pytest.mark.parametrize("error", ["EINVAL", "EOPNOTSUPP"])
def test_a_file_system_that_cannot_sync_folders_will_do(tmp_path: Path, error: str) -> None:
    assert written(tmp_path, f"fsync:error={error}", only=".").returncode == 0


@pytest.mark.row("G11")
def test_a_folder_whose_names_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    done = written(tmp_path, "fsync:error=EIO", only=".")
    assert f"cannot write {tmp_path}" in done.stderr


@pytest.mark.parametrize("call", ["write", "fsync", "ftruncate"])
def test_an_interrupted_call_is_taken_up_again(tmp_path: Path, call: str) -> None:
    (tmp_path / "events.jsonl").write_bytes(b'{"half')
    assert written(tmp_path, f"{call}:error=EINTR:when=1", only="events.jsonl").returncode == 0


def said(step: str, path: Path) -> bool:
    """Whether what the writer said it had written is there."""
    what, _, task_id = step.partition(" ")
    with RunFolder(path, resume=True) as folder:
        holds: dict[str, Callable[[], bool]] = {
            "run.json": lambda: folder.manifest == {"model": "m"},
            "event": lambda: task_id in lines(path, "events.jsonl"),
            "rollout": lambda: folder.rolled_out(task_id, 1) == rolled(task_id),
            "finish": lambda: folder.patch(folder.results()[task_id, 1]) == f"{task_id}\n",
            "closed": lambda: True,
        }
        return holds[what]()


def rolled(task_id: str) -> object:
    return make_rolled(f"{task_id}\n", task_id=task_id)


def whole(path: Path) -> bool:
    """Whether the folder holds what one holds that nobody disturbed."""
    results = [finished(name).result for name in TASKS]
    expected = [json.loads(one.model_dump_json()) for one in results]
    kept = [line for _, line in json_lines(path / "results.jsonl")]
    turns = [lines(path, f"tasks/{name}/1/trajectory.jsonl") for name in TASKS]
    verdicts = [path / f"tasks/{name}/1/verdict.json" for name in TASKS]
    return (read_manifest(path), kept, turns, all(one.exists() for one in verdicts)) == (
        {"model": "m"},
        expected,
        [["None", "None"]] * 2,
        True,
    )


@pytest.mark.row("G1")
@pytest.mark.parametrize(
    ("call", "first", "step"),
    [("write", 1, 4), ("write", 3, 4), ("fsync", 1, 6), ("fsync", 4, 6), ("rename", 1, 2)],
)
def test_a_kill_at_any_call_loses_nothing_that_was_written(
    tmp_path: Path, call: str, first: int, step: int
) -> None:
    for number in count(first, step):
        path = tmp_path / f"at {number}"
        done = written(path, f"{call}:signal=SIGKILL:when={number}")
        assert [one for one in done.stdout.splitlines() if not said(one, path)] == []
        assert main(path, waits=False) == 0
        assert whole(path)
        if done.returncode == 0:
            break
    assert number > first

"""The writer of a run folder."""

import errno
import fcntl
import hashlib
import json
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import JsonValue
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from evalkit.errors import ConfigError, StoreError
from evalkit.protocols import Message
from evalkit.store.files import Files, Lines, cut_torn_line, store_errors
from evalkit.store.lines import RolloutLine, read, read_manifest, records, rollout_end
from evalkit.types import EngineSample, Finished, Outcome, Record, Result, RolledOut

APPENDED = ("events.jsonl", "results.jsonl", "engine.jsonl")
_EVENTS_S = 1.0
"""Once in so long events go to the disk at once: results, not the diary, are what a run is for."""
_LOCK_S = 2.0
"""A reader that asks whether somebody writes holds the lock for an instant."""


class RunFolder:
    """A run folder, locked for as long as the `with` block lasts; a new one unless `resume`.

    `await_room` is told of a full disk, may take its time, and says whether to try again.
    """

    def __init__(
        self,
        path: Path,
        *,
        resume: bool = False,
        await_room: Callable[[StoreError], bool] = lambda _: False,
    ) -> None:
        self.path = path
        self._tasks = f"{path}/tasks"
        self._resume = resume
        self._files = Files(await_room)
        self._lock = threading.RLock()
        self._manifest: dict[str, JsonValue] = {}
        self._appended: dict[str, Lines] = {}
        """By name; opened with their first line."""
        self._trajectories: dict[tuple[str, int], Lines] = {}
        """Those of attempts under way, held open."""

    def __enter__(self) -> Self:
        with store_errors(self.path):
            taken = not self._resume and holds_attempts(self.path)
        if taken:
            raise ConfigError(
                f"{self.path} already holds a run",
                hint="go on with it by --resume, or choose another folder with -o",
            )
        self._files.folder(self.path)
        lock = self.path / ".lock"
        self._owner = self._files.insist(lock, lock.open, "w")
        try:
            self._take_lock()
            for name in APPENDED:
                cut_torn_line(self.path / name)
            begun = holds_attempts(self.path)
            if self._resume and (begun or (self.path / "run.json").exists()):
                self._manifest = read_manifest(self.path)
        except BaseException:
            self._owner.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock, ExitStack() as ending:
            ending.callback(self._owner.close)
            ending.callback(self._files.close)
            for lines in (*self._appended.values(), *self._trajectories.values()):
                ending.callback(lines.close)

    @property
    def manifest(self) -> Mapping[str, JsonValue]:
        """run.json as it stands; empty at the begin of a run that is not gone on with."""
        return self._manifest

    def describe(self, **facts: JsonValue) -> None:
        """Add facts to run.json."""
        with self._lock:
            self._manifest |= facts
            text = json.dumps(self._manifest, indent=2, ensure_ascii=False) + "\n"
            self._files.replace(str(self.path), {"run.json": _encoded(text)})

    def event(self, kind: str, **facts: JsonValue) -> None:
        """Append to events.jsonl, with the time; on the disk at once, but once a second at most."""
        self._append("events.jsonl", {"t": time.time(), "kind": kind, **facts})

    def engine_sample(self, sample: EngineSample) -> None:
        """Append to engine.jsonl."""
        self._append("engine.jsonl", sample)

    def trajectory(self, task_id: str, attempt: int) -> Callable[[Message], None]:
        """Begin a try of an attempt: return the writer of its trajectory.jsonl.

        What an earlier try left is set aside as ATTEMPT.1, ATTEMPT.2 and so on. Lines are in the
        file at once, so that a killed run leaves them, and on the disk, like the names of file and
        folder, with the rollout's end: to wait for the disk twice a turn costs more than the turn.
        """
        folder = self._end_trajectory(task_id, attempt)
        self._make_anew(folder)
        path = f"{folder}/trajectory.jsonl"
        lines = self._trajectories[task_id, attempt] = Lines(
            path, self._files, sync_s=math.inf, new=True
        )
        return lambda line: lines.write(_line(line))

    def roll_out(self, rolled: RolledOut) -> None:
        """End a trajectory by how the rollout ended: only its grading can be lost from here on."""
        task_id, attempt = rolled.submission.task_id, rolled.submission.attempt
        self._trajectories[task_id, attempt].write(_line(RolloutLine(rollout=rolled)))
        self._end_trajectory(task_id, attempt)

    def finish(self, finished: Finished) -> None:
        """Store an attempt whole; its line in results.jsonl comes last."""
        result, evidence = finished.result, finished.evidence
        files = {
            "patch.diff": _encoded(finished.submission.patch),
            # An empty log is no file: a wait for the disk less.
            "stdout.log": _encoded(evidence.stdout) or None,
            "stderr.log": _encoded(evidence.stderr) or None,
            "evidence.json": _page(evidence, without={"stdout", "stderr"}),
            "verdict.json": _page(finished.verdict),
        }
        if finished.repaired is not None:
            files["repaired.json"] = _page(finished.repaired)
        if finished.audit.findings:
            files["audit.json"] = _page(finished.audit)
        folder = self._end_trajectory(result.task_id, result.attempt)
        # Until its line is there nothing refers to an attempt, unless a try before it had one.
        self._files.replace(folder, files, aside=bool(result.retry))
        self._append("results.jsonl", result)

    def results(self) -> dict[tuple[str, int], Result]:
        """Return the last line of each attempt. Raises StoreError naming what is damaged."""
        return {
            (result.task_id, result.attempt): result
            for _, result in records(Result, self.path / "results.jsonl")
        }

    def rolled_out(self, task_id: str, attempt: int) -> RolledOut | None:
        """Return what `roll_out` kept of an attempt; None where its rollout has no end."""
        return rollout_end(f"{self._tasks}/{task_id}/{attempt}/trajectory.jsonl")

    def patch(self, result: Result) -> str:
        """Return the patch of a finished attempt. Raises StoreError where it is another."""
        path = f"{self._tasks}/{result.task_id}/{result.attempt}/patch.diff"
        content = read(path)
        if content is None:
            raise StoreError(f"{path}, which was graded, is gone")
        if hashlib.sha256(content).hexdigest() != result.patch_sha256:
            raise StoreError(f"{path} is damaged: it is not the patch that was graded")
        return content.decode()

    def predict(self, results: Iterable[Result]) -> None:
        """Write preds.jsonl: the patches of these attempts in SWE-bench's form."""
        lines = (
            _line(
                {
                    "instance_id": result.task_id,
                    "model_name_or_path": self._manifest.get("model"),
                    "model_patch": self.patch(result),
                    "attempt": result.attempt,
                }
            )
            for result in results
            if result.outcome is not Outcome.INFRA_ERROR
        )
        self._files.replace(str(self.path), {"preds.jsonl": b"".join(lines)})

    def _take_lock(self) -> None:
        deadline = time.monotonic() + _LOCK_S
        while True:
            try:
                fcntl.flock(self._owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno != errno.EWOULDBLOCK:
                    hint = "a run folder needs a file system with locks; choose another with -o"
                    raise StoreError(
                        f"cannot lock {self.path}: {error.strerror}", hint=hint
                    ) from error
                if time.monotonic() > deadline:
                    raise StoreError(f"{self.path} is being written by another evalkit") from error
                time.sleep(0.05)
            else:
                return

    def _make_anew(self, folder: str) -> None:
        try:
            self._files.insist(folder, os.mkdir, folder)
        except StoreError as error:
            if isinstance(error.__cause__, FileExistsError):
                self._set_aside(Path(folder))
            elif isinstance(error.__cause__, FileNotFoundError):
                self._files.folder(Path(folder).parent)
            else:
                raise
            self._files.insist(folder, os.mkdir, folder)

    def _set_aside(self, folder: Path) -> None:
        with store_errors(folder):
            names = [
                path.name.rpartition(".")[2] for path in folder.parent.glob(f"{folder.name}.*")
            ]
        last = max((int(name) for name in names if name.isdecimal()), default=0)
        self._files.rename(folder, folder.with_name(f"{folder.name}.{last + 1}"))

    def _end_trajectory(self, task_id: str, attempt: int) -> str:
        """Bring it to the disk, where one is under way, with its name; return the folder."""
        of_task = f"{self._tasks}/{task_id}"
        folder = f"{of_task}/{attempt}"
        lines = self._trajectories.pop((task_id, attempt), None)
        if lines is not None:
            lines.close()
            self._files.sync_names(folder)
            self._files.sync_names(of_task)
        return folder

    def _append(self, name: str, line: Record | Mapping[str, JsonValue]) -> None:
        with self._lock:
            if name not in self._appended:
                sync_s = _EVENTS_S if name == "events.jsonl" else 0.0
                self._appended[name] = Lines(self.path / name, self._files, sync_s=sync_s)
            lines = self._appended[name]
        lines.write(_line(line))


def holds_attempts(path: Path) -> bool:
    """Whether a run began there: an engine that never started leaves no trace in `tasks`."""
    return (path / "tasks").exists()


def is_written(path: Path) -> bool:
    """Whether an evalkit writes the run folder just now."""
    try:
        with (path / ".lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # without a lock there, or one that can be had, nobody began to write
        return False
    return False


def _line(content: Record | Mapping[str, JsonValue]) -> bytes:
    return _json(content) + b"\n"


def _page(record: Record, without: set[str] | None = None) -> bytes:
    return _json(record, indent=1, exclude=without)


def _json(content: object, *, indent: int | None = None, exclude: set[str] | None = None) -> bytes:
    try:
        return to_json(content, indent=indent, exclude=exclude)
    except PydanticSerializationError:  # half a character
        plain = to_jsonable_python(content, exclude=exclude)
        # As above: a line is known by its first bytes.
        apart = (",", ": " if indent else ":")
        return _encoded(json.dumps(plain, indent=indent, separators=apart, ensure_ascii=False))


def _encoded(text: str) -> bytes:
    """Encode; half a character, as a model's JSON can spell it, becomes a question mark."""
    return text.encode("utf-8", "replace")

"""The run folder: one writer, appended and flushed line by line, valid at every instant."""

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pydantic import JsonValue

from evalkit.errors import ConfigError, StoreError
from evalkit.protocols import Message
from evalkit.types import EngineSample, Finished, Submission


class RunFolder:
    """A new run folder, locked for as long as the `with` block lasts."""

    def __init__(self, path: Path) -> None:
        if (path / "tasks").exists():  # an engine that never started leaves no trace there
            raise ConfigError(f"{path} already holds a run", hint="choose another folder with -o")
        self.path = path
        self._lock = threading.Lock()
        self._manifest: dict[str, JsonValue] = {}
        self._trajectories: dict[Path, BinaryIO] = {}
        """Those of attempts under way, held open."""

    def __enter__(self) -> Self:
        with _store_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self._owner = (self.path / ".lock").open("w")
        try:
            fcntl.flock(self._owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._owner.close()
            raise StoreError(f"{self.path} is being written by another evalkit") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for path in tuple(self._trajectories):
            self._end_trajectory(path)
        self._owner.close()

    def describe(self, **facts: JsonValue) -> None:
        """Add facts to run.json."""
        with self._lock:
            self._manifest |= facts
            text = json.dumps(self._manifest, indent=2, ensure_ascii=False) + "\n"
            self._replace(self.path / "run.json", text.encode())

    def event(self, kind: str, **facts: JsonValue) -> None:
        """Append to events.jsonl, with the time."""
        self._append(self.path / "events.jsonl", {"t": time.time(), "kind": kind, **facts})

    def engine_sample(self, sample: EngineSample) -> None:
        """Append to engine.jsonl."""
        self._append(self.path / "engine.jsonl", sample.model_dump())

    def trajectory(self, task_id: str, attempt: int) -> Callable[[Message], None]:
        """Return the writer of one attempt's trajectory.jsonl.

        Its lines are in the file at once, so that a killed run leaves them, and on the disk with
        the attempt's end: to wait for the disk twice a turn costs more than the turn.
        """
        path = self._attempt(task_id, attempt) / "trajectory.jsonl"
        self._end_trajectory(path)
        with _store_errors(path):
            file = self._trajectories[path] = path.open("ab")

        def write(line: Message) -> None:
            with _store_errors(path):
                file.write(_json_line(line))
                file.flush()

        return write

    def finish(self, finished: Finished) -> None:
        """Store an attempt whole; its line in results.jsonl comes last."""
        result, submission, evidence = finished.result, finished.submission, finished.evidence
        folder = self._attempt(result.task_id, result.attempt)
        files = {
            "patch.diff": submission.patch,
            "stdout.log": evidence.stdout,
            "stderr.log": evidence.stderr,
            "evidence.json": evidence.model_dump_json(indent=1, exclude={"stdout", "stderr"}),
            "verdict.json": finished.verdict.model_dump_json(indent=1),
        }
        if finished.repaired is not None:
            files["repaired.json"] = finished.repaired.model_dump_json(indent=1)
        if finished.audit.calls:
            files["audit.json"] = finished.audit.model_dump_json(indent=1)
        self._end_trajectory(folder / "trajectory.jsonl")
        for name, text in files.items():
            self._replace(folder / name, text.encode("utf-8", "replace"))
        self._append(self.path / "preds.jsonl", self._prediction(submission))
        self._append(self.path / "results.jsonl", result.model_dump(mode="json"))

    def _end_trajectory(self, path: Path) -> None:
        file = self._trajectories.pop(path, None)
        if file is not None:
            with _store_errors(path), file:
                os.fsync(file.fileno())

    def _prediction(self, submission: Submission) -> Message:
        return {
            "instance_id": submission.task_id,
            "model_name_or_path": self._manifest.get("model"),
            "model_patch": submission.patch,
            "attempt": submission.attempt,
        }

    def _attempt(self, task_id: str, attempt: int) -> Path:
        folder = self.path / "tasks" / task_id / str(attempt)
        with _store_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _append(self, path: Path, line: Mapping[str, JsonValue]) -> None:
        text = _json_line(line)
        with self._lock, _store_errors(path), path.open("ab") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def _replace(self, path: Path, content: bytes) -> None:
        aside = path.with_name(f".{path.name}.new")
        with _store_errors(path):
            with aside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)


def _json_line(line: Mapping[str, JsonValue]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


@contextmanager
def _store_errors(path: Path) -> Iterator[None]:
    """Turn OSError into a StoreError that names the path."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error

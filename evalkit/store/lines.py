"""JSON of a run folder, read back: what is damaged is named by file and line."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from evalkit.errors import StoreError
from evalkit.types import Record, RolledOut

R = TypeVar("R", bound=Record)

Damaged = Callable[[StoreError], None]
"""Is told of a line that cannot be read; it is left out, unless this raises."""


def read(path: Path | str) -> bytes | None:
    """Read a file; None where there is none. Raises StoreError that names it."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - resume reads thousands
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error


def refuse(error: StoreError) -> None:
    """Raise: nothing damaged is left out."""
    raise error


def json_lines(path: Path, damaged: Damaged = refuse) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line with the place it stands at; nothing where there is no file.

    A last line without its end was being written when the run was killed; it is left out.
    """
    for where, line in _whole_lines(path):
        try:
            data = json_object(line, where)
        except StoreError as error:
            damaged(error)
        else:
            yield where, data


def records(model: type[R], path: Path, damaged: Damaged = refuse) -> Iterator[tuple[str, R]]:
    """Yield each line as a record, with the place it stands at, as `json_lines` does; quicker."""
    for where, line in _whole_lines(path):
        try:
            found = record(model, line, where)
        except StoreError as error:
            damaged(error)
        else:
            yield where, found


def record(model: type[R], text: bytes, where: str) -> R:
    """Read one record. Raises StoreError that names the place and the key."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _damaged(where, error) from error


class RolloutLine(Record):
    """The last line of a trajectory whose rollout came to its own end."""

    kind: Literal["rollout"] = "rollout"
    rollout: RolledOut


_ROLLOUT = b'{"kind":"rollout"'
_TAIL = 2**14
"""Bytes of a file's end that are read first; a longer line takes more looks."""


def rollout_end(trajectory: Path | str) -> RolledOut | None:
    """Return how a rollout came to its own end; None where it has not."""
    line = last_line(trajectory)
    if not line.startswith(_ROLLOUT):
        return None
    return record(RolloutLine, line, f"{trajectory} last line").rollout


def has_ended(trajectory: Path) -> bool:
    """Whether a rollout came to its own end."""
    return last_line(trajectory).startswith(_ROLLOUT)


def last_line(path: Path | str) -> bytes:
    """Return the last whole line; nothing where there is none. Raises StoreError."""
    try:
        fd = os.open(path, os.O_RDONLY)
        try:
            return _last_line(fd)
        finally:
            os.close(fd)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error


def _last_line(fd: int) -> bytes:
    size = os.fstat(fd).st_size
    room = _TAIL
    while True:
        begin = max(0, size - room)
        *lines, _torn = os.pread(fd, size - begin, begin).split(b"\n")
        if len(lines) > 1 or not begin:
            return lines[-1] if lines else b""
        room *= 8


def _whole_lines(path: Path) -> Iterator[tuple[str, bytes]]:
    *whole, _torn = (read(path) or b"").split(b"\n")
    for number, line in enumerate(whole, 1):
        yield f"{path} line {number}", line


def json_object(text: bytes, where: str) -> dict[str, Any]:
    """Read one JSON object. Raises StoreError that names the place."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where} is damaged: {error}") from error
    if not isinstance(data, dict):
        raise StoreError(f"{where} is damaged: not a JSON object")
    return data


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read run.json. Raises StoreError where there is none."""
    path = folder / "run.json"
    text = read(path)
    if text is None:
        hint = "name a folder that `evalkit run` wrote"
        raise StoreError(f"{folder} holds no run.json", hint=hint)
    return json_object(text, where=str(path))


def as_record(model: type[R], data: Mapping[str, Any], where: str) -> R:
    """Validate what was read. Raises StoreError that names the place and the key."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _damaged(where, error) from error


def _damaged(where: str, error: ValidationError) -> StoreError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "content"
    return StoreError(f"{where} is damaged: {key}: {first['msg']}")

"""JSON of a run folder, read back: what is damaged is named by file and line."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from evalkit.errors import StoreError
from evalkit.types import Record

R = TypeVar("R", bound=Record)


def read(path: Path) -> bytes | None:
    """Read a file; None where there is none. Raises StoreError that names it."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line with the place it stands at; nothing where there is no file.

    A last line without its end was being written when the run was killed; it is left out.
    """
    *whole, _torn = (read(path) or b"").split(b"\n")
    for number, line in enumerate(whole, 1):
        where = f"{path} line {number}"
        yield where, json_object(line, where)


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
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "content"
        raise StoreError(f"{where} is damaged: {key}: {first['msg']}") from error

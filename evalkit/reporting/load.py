"""A run folder, read into records."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, Field, JsonValue, ValidationError

from evalkit.errors import StoreError
from evalkit.reporting.run import Run, Turn
from evalkit.types import EngineSample, Incarnation, Record, Result, Usage

R = TypeVar("R", bound=Record)


class _Engine(Record):
    model_config = ConfigDict(extra="ignore")

    incarnations: tuple[Incarnation, ...] = ()
    gpus: int = 0


class _Manifest(Record):
    """The keys of run.json that figures rest on."""

    model_config = ConfigDict(extra="ignore")

    selected: tuple[str, ...] = Field(min_length=1)
    attempts: int = Field(ge=1)
    known_bad: Mapping[str, str] = Field(default_factory=dict)
    engine: _Engine = _Engine()


class _Turn(Record):
    """What a figure needs of one model turn in trajectory.jsonl."""

    model_config = ConfigDict(extra="ignore")

    t0: float
    t1: float
    usage: Usage
    ttft_s: float | None = None
    itl_s: float | None = None
    incarnation: int = 1


def load_run(path: Path | str) -> Run:
    """Read a run folder. Raises StoreError naming file and line where it is damaged.

    A last line without its end was being written when the run was killed; it is left out.
    """
    folder = Path(path)
    manifest = _manifest(folder / "run.json")
    keys = _record(_Manifest, manifest, where=str(folder / "run.json"))
    return Run(
        path=folder,
        manifest=manifest,
        selected=keys.selected,
        attempts=keys.attempts,
        known_bad=frozenset(keys.known_bad),
        incarnations=keys.engine.incarnations,
        gpus=keys.engine.gpus,
        results=_results(folder / "results.jsonl", keys),
        samples=tuple(
            _record(EngineSample, line, where) for where, line in _lines(folder / "engine.jsonl")
        ),
        requests=_requests(folder),
    )


def _manifest(path: Path) -> dict[str, JsonValue]:
    try:
        return _mapping(path.read_bytes(), where=str(path))
    except FileNotFoundError as error:
        hint = "name a folder that `evalkit run` wrote"
        raise StoreError(f"{path.parent} holds no run.json", hint=hint) from error
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error


def _results(path: Path, keys: _Manifest) -> tuple[Result, ...]:
    last: dict[tuple[str, int], Result] = {}
    for where, line in _lines(path):
        result = _record(Result, line, where)
        if result.task_id not in keys.selected or not 1 <= result.attempt <= keys.attempts:
            attempt = f"{result.task_id} attempt {result.attempt}"
            raise StoreError(f"{where}: {attempt} is not among those that run.json selected")
        last[result.task_id, result.attempt] = result
    return tuple(last.values())


def _requests(folder: Path) -> tuple[Turn, ...]:
    turns = []
    for path in folder.glob("tasks/*/*/trajectory.jsonl"):
        for where, line in _lines(path):
            if line.get("kind") == "turn":
                turn = _record(_Turn, line, where)
                rest = turn.model_dump(exclude={"t0", "t1", "usage"}) | turn.usage.model_dump()
                turns.append(_record(Turn, {"start": turn.t0, "end": turn.t1, **rest}, where))
    return tuple(sorted(turns, key=lambda turn: (turn.start, turn.end)))


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line with the place it stands at; nothing where there is no file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    *whole, _torn = content.split(b"\n")
    for number, line in enumerate(whole, 1):
        where = f"{path} line {number}"
        yield where, _mapping(line, where)


def _mapping(text: bytes, where: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise StoreError(f"{where} is damaged: {error}") from error
    if not isinstance(data, dict):
        raise StoreError(f"{where} is damaged: not a JSON object")
    return data


def _record(model: type[R], data: Mapping[str, Any], where: str) -> R:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "content"
        raise StoreError(f"{where} is damaged: {key}: {first['msg']}") from error

"""A run folder, read into records."""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from evalkit.errors import StoreError
from evalkit.reporting.run import Run, Turn
from evalkit.store.lines import Damaged, as_record, json_lines, read_manifest, records, refuse
from evalkit.store.planned import Planned
from evalkit.types import EngineSample, Incarnation, Record, Result, Usage


class _Engine(Record):
    model_config = ConfigDict(extra="ignore")

    incarnations: tuple[Incarnation, ...] = ()
    gpus: int = 0


class _Manifest(Planned):
    """The keys of run.json that figures rest on."""

    sessions: tuple[float, ...] = ()
    since: float = 0.0
    """When the conditions under which attempts count were first those of now (unix s)."""
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


class _LaterResult(Result):
    """A result that a later evalkit may have told more of."""

    model_config = ConfigDict(extra="ignore")


class _LaterSample(EngineSample):
    model_config = ConfigDict(extra="ignore")


def load_run(path: Path | str) -> Run:
    """Read a run folder. Raises StoreError naming file and line where it is damaged."""
    folder = Path(path)
    manifest = read_manifest(folder)
    return _read(folder, manifest, _keys(folder, manifest), refuse)


def salvage_run(path: Path | str) -> Run:
    """Read a run folder as far as it goes; `missing` says what could not be read.

    Raises StoreError where there is no folder, or nothing in it that a run leaves.
    """
    folder = Path(path)
    if not any((folder / name).exists() for name in ("run.json", "results.jsonl", "tasks")):
        raise StoreError(f"{folder} holds no run", hint="name a folder that `evalkit run` wrote")
    missing: list[str] = []

    def damaged(error: StoreError) -> None:
        missing.append(error.message.replace(f"{folder}/", ""))

    manifest: Mapping[str, Any] = {}
    try:
        manifest = read_manifest(folder)
        keys = _keys(folder, manifest)
    except StoreError as error:
        damaged(error)
        keys = _traces(folder)
        missing.append(
            "run.json says which tasks were selected; without it only those that left a trace "
            "are counted, and the score is no score of the suite"
        )
    missing += _version(manifest)
    run = _read(folder, manifest, keys, damaged)
    planned = len(keys.selected) * keys.attempts
    if len(run.results) < planned:
        missing.append(f"{planned - len(run.results)} of {planned} attempts have no result")
    return run.model_copy(update={"missing": tuple(missing)})


def _keys(folder: Path, manifest: Mapping[str, Any]) -> _Manifest:
    return as_record(_Manifest, manifest, where=str(folder / "run.json"))


def _traces(folder: Path) -> _Manifest:
    """Say what was planned by what is there."""
    tried = [
        (path.parent.name, int(path.name))
        for path in sorted(folder.glob("tasks/*/*"))
        if path.name.isdecimal()
    ]
    return _Manifest(
        selected=tuple(dict.fromkeys(task_id for task_id, _ in tried)) or ("unknown",),
        attempts=max((attempt for _, attempt in tried), default=1),
    )


def _version(manifest: Mapping[str, Any]) -> list[str]:
    """Say where a later evalkit wrote the folder."""
    wrote = str(manifest.get("evalkit", ""))
    here = metadata.version("evalkit")
    known = all(part.isdecimal() for part in wrote.split("."))
    if not known or _numbers(wrote) <= _numbers(here):
        return []
    return [f"written by evalkit {wrote}; what this one, {here}, does not know is left out"]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _read(folder: Path, manifest: Mapping[str, Any], keys: _Manifest, damaged: Damaged) -> Run:
    strict = damaged is refuse
    sample = EngineSample if strict else _LaterSample
    looks = [look for _, look in records(sample, folder / "engine.jsonl", damaged)]
    results, earlier = keys.results(folder, damaged, Result if strict else _LaterResult)
    return Run(
        path=folder,
        manifest=manifest,
        selected=keys.selected,
        attempts=keys.attempts,
        sessions=tuple(began for began in keys.sessions if began >= keys.since),
        known_bad=frozenset(keys.known_bad),
        incarnations=tuple(one for one in keys.engine.incarnations if one.started >= keys.since),
        gpus=keys.engine.gpus,
        results=tuple(results.values()),
        earlier=earlier,
        samples=tuple(look for look in looks if look.t >= keys.since),
        requests=tuple(turn for turn in _requests(folder, damaged) if turn.start >= keys.since),
    )


def _requests(folder: Path, damaged: Damaged) -> tuple[Turn, ...]:
    turns = []
    for path in folder.glob("tasks/*/*/trajectory.jsonl"):
        for where, line in json_lines(path, damaged):
            if line.get("kind") == "turn":
                try:
                    turns.append(read_turn(line, where))
                except StoreError as error:
                    damaged(error)
    return tuple(sorted(turns, key=lambda turn: (turn.start, turn.end)))


def read_turn(line: Mapping[str, Any], where: str) -> Turn:
    """Read a line of kind `turn`. Raises StoreError that names the place and the key."""
    turn = as_record(_Turn, line, where)
    rest = turn.model_dump(exclude={"t0", "t1", "usage"}) | turn.usage.model_dump()
    return as_record(Turn, {"start": turn.t0, "end": turn.t1, **rest}, where)

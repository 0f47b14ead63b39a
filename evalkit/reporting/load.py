"""A run folder, read into records."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ConfigDict, Field

from evalkit.reporting.run import Run, Turn
from evalkit.store.lines import as_record, json_lines, read_manifest
from evalkit.store.planned import Planned
from evalkit.types import EngineSample, Incarnation, Record, Usage


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


def load_run(path: Path | str) -> Run:
    """Read a run folder. Raises StoreError naming file and line where it is damaged."""
    folder = Path(path)
    manifest = read_manifest(folder)
    keys = as_record(_Manifest, manifest, where=str(folder / "run.json"))
    looks = [
        as_record(EngineSample, line, where) for where, line in json_lines(folder / "engine.jsonl")
    ]
    results, earlier = keys.results(folder)
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
        requests=tuple(turn for turn in _requests(folder) if turn.start >= keys.since),
    )


def _requests(folder: Path) -> tuple[Turn, ...]:
    turns = []
    for path in folder.glob("tasks/*/*/trajectory.jsonl"):
        for where, line in json_lines(path):
            if line.get("kind") == "turn":
                turn = as_record(_Turn, line, where)
                rest = turn.model_dump(exclude={"t0", "t1", "usage"}) | turn.usage.model_dump()
                turns.append(as_record(Turn, {"start": turn.t0, "end": turn.t1, **rest}, where))
    return tuple(sorted(turns, key=lambda turn: (turn.start, turn.end)))

"""What a run folder holds, as records."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from evalkit.stats import Span
from evalkit.types import EngineSample, Record, Result


class EngineCount(Record):
    """The engine's own counter of completion tokens, read at both ends of the run."""

    before: int
    """After the probe and before the first rollout."""
    after: int


class Run(Record):
    """A run folder's content. `results` holds the last line of each attempt of each task."""

    path: Path
    manifest: Mapping[str, JsonValue]
    """run.json as it is."""
    selected: tuple[str, ...]
    known_bad: frozenset[str] = frozenset()
    """Selected tasks whose grading is known to be wrong."""
    attempts: int
    engine_count: EngineCount | None
    results: tuple[Result, ...]
    samples: tuple[EngineSample, ...]
    requests: tuple[Span, ...]
    """Every turn of every trajectory, in order of its start."""

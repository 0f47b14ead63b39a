"""What a run folder holds, as records."""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from evalkit.stats import Span
from evalkit.types import FOLDER_NAME, EngineSample, Incarnation, Record, Result


class Turn(Span):
    """One answer of the engine that a rollout went on with."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt tokens, those the engine had at hand, as far as it says so."""
    ttft_s: float | None = None
    """Seconds to the first token, None where the answer did not stream one."""
    itl_s: float | None = None
    """Mean seconds between two tokens."""
    incarnation: int = 1
    """Which start of the engine answered."""


class Run(Record):
    """A run folder's content. `results` holds the last line of each attempt of each task."""

    path: Path
    manifest: Mapping[str, JsonValue]
    """run.json as it is."""
    selected: tuple[str, ...]
    known_bad: frozenset[str] = frozenset()
    """Selected tasks whose grading is known to be wrong."""
    attempts: int
    """Planned a task."""
    first_attempt: int = 1
    """Their first number: earlier ones were made under other conditions."""
    sessions: tuple[float, ...] = ()
    """When each of them began (unix s): a run that is gone on with has several."""
    incarnations: tuple[Incarnation, ...] = ()
    """The starts of the engine, in their order; none where the agent needs no engine."""
    gpus: int = 0
    """That the engine ran on, as far as known; 0 on CPU."""
    results: tuple[Result, ...]
    earlier: int = 0
    """Attempts under conditions, or of a selection, that the run was changed from: not counted."""
    samples: tuple[EngineSample, ...]
    requests: tuple[Turn, ...]
    """Every turn of every trajectory, in order of its start."""
    missing: tuple[str, ...] = ()
    """What of the folder could not be read, a sentence each; a whole folder has none."""

    def folder(self, task_id: str, attempt: int) -> Path | None:
        """Return an attempt's folder; None where there is none.

        An id that is no folder's name, or a link out of the run folder, leads to none: the folder
        may be a stranger's.
        """
        if not re.fullmatch(FOLDER_NAME, task_id):
            return None
        folder = self.path / "tasks" / task_id / str(attempt)
        inside = folder.resolve().is_relative_to(self.path.resolve())
        return folder if inside and folder.is_dir() else None

    @property
    def numbers(self) -> range:
        """The attempts of each task that count."""
        return range(self.first_attempt, self.first_attempt + self.attempts)

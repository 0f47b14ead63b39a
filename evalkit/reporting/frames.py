"""A run as tidy frames for analysts. Imports pandas: import it only where frames are made."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ConfigDict

from evalkit.errors import StoreError
from evalkit.reporting.load import TurnLine, salvage_run
from evalkit.reporting.run import Run
from evalkit.store.lines import as_record, json_lines, json_object, read
from evalkit.types import WITHOUT_EFFECT, EngineSample, Outcome, Record, Result, Usage

_LEFT_OUT = {"key", "repaired_outcome"}
"""Of a result; columns that no figure rests on."""
ATTEMPTS = (
    "task_id",
    "attempt",
    "resolved",
    "doubtful",
    "known_bad",
    *(name for name in Result.model_fields if name not in _LEFT_OUT | {"task_id", "attempt"}),
)
TURNS = (
    "task_id",
    "attempt",
    "turn",
    "start",
    "end",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "ttft_s",
    "itl_s",
    "lost_s",
    "incarnation",
    "finish_reason",
    "tool_calls",
    "tool_s",
)
TESTS = ("task_id", "attempt", "test", "status")
ENGINE = tuple(name for name in EngineSample.model_fields if name != "replicas")


class _Turn(TurnLine):
    """All of a model turn's line that the table has."""

    turn: int
    lost_s: float = 0.0
    finish_reason: str = ""
    tool_calls: tuple[Any, ...] = ()


_AS_IT_IS = ("ttft_s", "itl_s", "lost_s", "incarnation", "finish_reason")
"""Keys of a turn's line that are columns."""


class _Tool(Record):
    """A tool call's result there."""

    model_config = ConfigDict(extra="ignore")

    seconds: float = 0.0


def load_frames(path: Path | str) -> "Frames":
    """Read a run folder as far as it goes.

    Raises StoreError where there is no run at all; `missing` says what could not be read.
    """
    return Frames(salvage_run(path))


class Frames:
    """The tables of one run, each made when first asked for; docs/library.md has every column.

    Turns and tests are read from the folder then, and only those of attempts that count.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._missing: list[str] = []

    @property
    def missing(self) -> tuple[str, ...]:
        """What of the folder could not be read so far, a sentence each."""
        return tuple(dict.fromkeys((*self.run.missing, *self._missing)))

    @cached_property
    def attempts(self) -> pd.DataFrame:
        """One row a planned attempt, finished or not: so means over rows are scores."""
        results = {(one.task_id, one.attempt): one for one in self.run.results}
        rows = [
            _attempt_row(self.run, task_id, attempt, results.get((task_id, attempt)))
            for task_id in self.run.selected
            for attempt in self.run.numbers
        ]
        return pd.DataFrame(rows, columns=list(ATTEMPTS))

    @cached_property
    def turns(self) -> pd.DataFrame:
        """One row a turn that a rollout went on with; of several tries, the last one's."""
        return pd.DataFrame(list(self._turns()), columns=list(TURNS))

    @cached_property
    def tests(self) -> pd.DataFrame:
        """One row a test that grading saw; required ones that are missing have none."""
        return pd.DataFrame(self._tests(), columns=list(TESTS))

    @cached_property
    def engine(self) -> pd.DataFrame:
        """One row a look at the engine, about two seconds apart."""
        rows = [sample.model_dump(include=set(ENGINE)) for sample in self.run.samples]
        return pd.DataFrame(rows, columns=list(ENGINE))

    def _folders(self) -> Iterator[tuple[str, int, Path]]:
        for result in self.run.results:
            folder = self.run.folder(result.task_id, result.attempt)
            if folder is not None:
                yield result.task_id, result.attempt, folder

    def _turns(self) -> Iterator[Mapping[str, Any]]:
        for task_id, attempt, folder in self._folders():
            row: dict[str, Any] | None = None
            for where, line in json_lines(folder / "trajectory.jsonl", self._damaged):
                try:
                    if line.get("kind") == "turn":
                        turn = _turn_row(line, where)
                        yield from [row] if row else []
                        row = {"task_id": task_id, "attempt": attempt, **turn}
                    elif line.get("kind") == "tool" and row:
                        row["tool_s"] += as_record(_Tool, line, where).seconds
                except StoreError as error:
                    self._damaged(error)
            if row:
                yield row

    def _tests(self) -> Iterator[tuple[str, int, str, str]]:
        for task_id, attempt, folder in self._folders():
            try:
                content = read(folder / "evidence.json") or b"{}"
                evidence = json_object(content, str(folder / "evidence.json"))
            except StoreError as error:
                self._damaged(error)
                continue
            statuses = evidence.get("statuses")
            for test, status in statuses.items() if isinstance(statuses, dict) else ():
                yield task_id, attempt, test, status

    def _damaged(self, error: StoreError) -> None:
        self._missing.append(error.message.replace(f"{self.run.path}/", ""))


def _attempt_row(run: Run, task_id: str, attempt: int, result: Result | None) -> dict[str, Any]:
    facts = {
        "task_id": task_id,
        "attempt": attempt,
        "resolved": result is not None and result.outcome is Outcome.RESOLVED,
        "doubtful": result is not None and not WITHOUT_EFFECT.issuperset(result.flags),
        "known_bad": task_id in run.known_bad,
    }
    if result is None:
        return facts | {"outcome": "unfinished"}
    told = result.model_dump(mode="json", exclude=_LEFT_OUT)
    return facts | told | {"flags": " ".join(result.flags)}


def _turn_row(line: Mapping[str, Any], where: str) -> dict[str, Any]:
    turn = as_record(_Turn, line, where)
    return {
        "turn": turn.turn,
        "start": turn.t0,
        "end": turn.t1,
        **{name: getattr(turn.usage, name) for name in Usage.model_fields},
        **{name: getattr(turn, name) for name in _AS_IT_IS},
        "tool_calls": len(turn.tool_calls),
        "tool_s": 0.0,
    }

"""Which attempts a run plans, and so which results count."""

from functools import cached_property
from pathlib import Path

from pydantic import ConfigDict, Field, JsonValue

from evalkit.errors import StoreError
from evalkit.store.lines import Damaged, records, refuse
from evalkit.types import Record, Result

Key = tuple[str, int]
"""A task's id with the number of an attempt."""


class Planned(Record):
    """The keys of run.json that say so."""

    model_config = ConfigDict(extra="ignore")

    selected: tuple[str, ...] = Field(min_length=1)
    attempts: int = Field(ge=1)
    first_attempt: int = Field(default=1, ge=1)
    """Of those that count: earlier ones were made under other conditions."""
    earlier: tuple[JsonValue, ...] = ()
    """What was planned before, where the run was gone on with under changes."""

    @property
    def numbers(self) -> range:
        """The attempts of each task."""
        return range(self.first_attempt, self.first_attempt + self.attempts)

    def plans(self, key: Key) -> bool:
        """Whether an attempt counts."""
        task_id, attempt = key
        return attempt in self.numbers and task_id in self._tasks

    def results(
        self, folder: Path, damaged: Damaged = refuse, model: type[Result] = Result
    ) -> tuple[dict[Key, Result], int]:
        """Return the last result of each attempt that counts, and of how many others there is one.

        `damaged` is told of lines that cannot be read, and of others where nothing was changed.
        """
        counting: dict[Key, Result] = {}
        others = set()
        for where, result in records(model, folder / "results.jsonl", damaged):
            key = (result.task_id, result.attempt)
            if self.plans(key):
                counting[key] = result
            elif self.earlier:
                others.add(key)
            else:
                attempt = f"{result.task_id} attempt {result.attempt}"
                damaged(StoreError(f"{where}: {attempt} is not among those that run.json selected"))
        return counting, len(others)

    @cached_property
    def _tasks(self) -> frozenset[str]:
        return frozenset(self.selected)

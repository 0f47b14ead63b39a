"""What statistics need of a task: how often it was tried, and how often resolved."""

from typing import Self

from pydantic import Field, model_validator

from evalkit.types import Record


class TaskTries(Record):
    """The attempts at one task, of one run or of several pooled."""

    task_id: str
    repo: str
    """The repository it comes from: tasks of one are alike."""
    resolved: int = Field(ge=0)
    attempts: int = Field(ge=1)

    @model_validator(mode="after")
    def _part_of_whole(self) -> Self:
        if self.resolved > self.attempts:
            raise ValueError(f"{self.resolved} of {self.attempts} attempts cannot be resolved")
        return self

    @property
    def mean(self) -> float:
        """The share of attempts that resolved the task, from 0 to 1."""
        return self.resolved / self.attempts

    @property
    def majority(self) -> bool:
        """Whether more than half of the attempts resolved it; half and half is not resolved."""
        return 2 * self.resolved > self.attempts

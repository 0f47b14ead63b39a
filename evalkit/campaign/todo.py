"""What of a plan is left to do, by what an earlier run of it left in the folder."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from evalkit.attempt import Parts, attempt_key
from evalkit.types import Outcome, Result, RolledOut, Task

Pair = tuple[Task, int]
"""A task with the number of an attempt."""


@dataclass(frozen=True, kw_only=True)
class Todo:
    """One attempt, or what is left of it."""

    task: Task
    attempt: int
    rolled: bool = False
    """Its rollout came to its end before: only the grading is left."""
    retries: int = 0
    """How often it was begun before and broke."""


class Past(Protocol):
    """What a run folder holds of attempts."""

    def results(self) -> Mapping[tuple[str, int], Result]:
        """Return the last line of each attempt."""
        ...

    def patch(self, result: Result) -> str:
        """Return the patch of a finished attempt. Raises StoreError where it is another."""
        ...

    def rolled_out(self, task_id: str, attempt: int) -> RolledOut | None:
        """Return how an attempt's rollout ended; None where it has no end."""
        ...


def left_to_do(
    pairs: Iterable[Pair], past: Past, parts: Parts, digest: Callable[[Task], str | None]
) -> list[Todo]:
    """Leave out what is finished under an equal key; of the rest, keep rollouts that ended.

    `digest` is that of a task's image as it is on this machine, None where it is not here and
    the one that was graded with stands.
    """
    results = past.results()
    digests: dict[str, str | None] = {}
    left = []
    for task, attempt in pairs:
        result = results.get((task.id, attempt))
        if result is not None and result.outcome is not Outcome.INFRA_ERROR:
            past.patch(result)  # raises where it is not what was graded
            if task.id not in digests:
                digests[task.id] = digest(task)
            image = digests[task.id] or result.image_digest
            if attempt_key(task, result.patch_sha256, image, parts) == result.key:
                continue
        left.append(
            Todo(
                task=task,
                attempt=attempt,
                rolled=past.rolled_out(task.id, attempt) is not None,
                retries=result.retry + 1 if result else 0,
            )
        )
    return left

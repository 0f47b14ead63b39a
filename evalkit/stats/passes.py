"""Scores of several attempts: at least one of k resolves the task, or all k do."""

from collections.abc import Callable, Sequence
from math import comb

from evalkit.stats.tries import TaskTries
from evalkit.types import Record


class OfK(Record):
    """A score over k attempts a task, of the tasks that were tried so often."""

    k: int
    score: float | None
    """From 0 to 1; None where no task was tried k times."""
    tasks: int
    left_out: tuple[str, ...]
    """Ids of tasks with fewer than k attempts: of them nothing unbiased can be said."""


def pass_at_k(resolved: int, attempts: int, k: int) -> float:
    """Return the chance that of k attempts at least one resolves, estimated without bias.

    1 - C(n-c, k) / C(n, k): the share of the k-subsets of the n attempts that hold one of the c
    resolved (Chen et al., arXiv 2107.03374, 2021). Raises ValueError unless 1 <= k <= attempts.
    """
    _check(resolved, attempts, k)
    return 1 - comb(attempts - resolved, k) / comb(attempts, k)


def pass_hat_k(resolved: int, attempts: int, k: int) -> float:
    """Return the chance that all of k attempts resolve, pass^k, estimated without bias.

    C(c, k) / C(n, k) (Yao et al., arXiv 2406.12045, 2024). Raises ValueError unless
    1 <= k <= attempts.
    """
    _check(resolved, attempts, k)
    return comb(resolved, k) / comb(attempts, k)


def mean_pass_at_k(tasks: Sequence[TaskTries], k: int) -> OfK:
    """Return pass@k as the mean over the tasks that have k attempts; the others are named."""
    return _mean(tasks, k, pass_at_k)


def mean_pass_hat_k(tasks: Sequence[TaskTries], k: int) -> OfK:
    """Return pass^k as the mean over the tasks that have k attempts; the others are named."""
    return _mean(tasks, k, pass_hat_k)


def _mean(tasks: Sequence[TaskTries], k: int, one: Callable[[int, int, int], float]) -> OfK:
    scores = [one(task.resolved, task.attempts, k) for task in tasks if task.attempts >= k]
    return OfK(
        k=k,
        score=sum(scores) / len(scores) if scores else None,
        tasks=len(scores),
        left_out=tuple(task.task_id for task in tasks if task.attempts < k),
    )


def _check(resolved: int, attempts: int, k: int) -> None:
    if not (0 <= resolved <= attempts and 1 <= k <= attempts):
        raise ValueError(f"{k} of {attempts} attempts, {resolved} resolved: no such draw")

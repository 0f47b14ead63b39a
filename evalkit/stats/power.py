"""What a comparison can see: the smallest drop, and how much more would decide it."""

from collections.abc import Sequence
from math import ceil, inf, log2, sqrt

from evalkit.stats.clustered import Spread, spread
from evalkit.stats.paired import TaskPair, clusters_of, mcnemar, tried_once
from evalkit.stats.tries import TaskTries
from evalkit.types import Record

POWER = 0.8
"""The share of comparisons that are to see a drop (Cohen, 1988)."""


class Deciding(Record):
    """How much would let a comparison see a drop as large as the one estimated, power 0.8."""

    tasks: int | None
    """Tasks at the attempts that there are; None where nothing can be reckoned."""
    attempts: int | None
    """Attempts a task in each run, on the tasks that there are. None where no number would do, or
    where every task was tried once, which leaves the scatter between attempts unknown."""


def minimum_detectable_drop(
    pairs: Sequence[TaskPair], *, alpha: float, power: float = POWER
) -> float | None:
    """Return the smallest true drop, in points, that the one-sided test at `alpha` would see.

    (t(1 - alpha) + t(power)) * standard error (Bloom, Evaluation Review 19, 1995), with the error
    of the test that decides: `spread` of the differences, or of tasks tried once McNemar's, the
    root of the flips over the tasks; there at least as many tasks as an exact test needs when all
    of them are lost. None where several attempts show no scatter to reckon with.
    """
    seen = _seen(_uncertainty(pairs), alpha, power)
    if tried_once(pairs):
        return max(seen, 100 * _fewest_losses(alpha) / len(pairs))
    return seen or None


def deciding(pairs: Sequence[TaskPair], drop: float, *, alpha: float) -> Deciding:
    """Say how many tasks, or attempts, would make a drop of `drop` > 0 points detectable.

    The standard error shrinks with the root of the tasks. Of its square, the scatter between
    attempts, p(1 - p) / attempts, shrinks with the attempts; what is left does not.
    """
    uncertain = _uncertainty(pairs)
    seen = _seen(uncertain, alpha, POWER)
    if not seen:
        return Deciding(tasks=None, attempts=None)
    shrink = (drop / seen) ** 2
    tasks = ceil(len(pairs) / shrink)
    if tried_once(pairs):
        return Deciding(tasks=max(tasks, ceil(100 * _fewest_losses(alpha) / drop)), attempts=None)
    scatter = _scatter(pairs)
    variance = uncertain.error**2
    within = scatter * sum(_shares(pair) for pair in pairs) / len(pairs) ** 2
    room = variance * shrink - max(0.0, variance - within)
    attempts = ceil(2 * scatter / len(pairs) / room) if room > 0 and scatter else None
    return Deciding(tasks=tasks, attempts=attempts)


def _seen(uncertain: Spread, alpha: float, power: float) -> float:
    from scipy.stats import t

    return 100 * uncertain.error * float(t.ppf([1 - alpha, power], uncertain.freedom).sum())


def _fewest_losses(alpha: float) -> int:
    """Return how many losses without a win an exact one-sided test calls significant."""
    return ceil(-log2(alpha))


def _uncertainty(pairs: Sequence[TaskPair]) -> Spread:
    """Return the standard error of the mean difference, in shares."""
    if tried_once(pairs):
        flips = mcnemar(pairs)
        return Spread(sqrt(flips.wins + flips.losses) / len(pairs), inf)
    differences = [pair.difference for pair in pairs]
    return spread(differences, clusters_of(pairs)) or Spread(0.0, inf)


def _scatter(pairs: Sequence[TaskPair]) -> float:
    """Return the variance of one attempt about its task's rate, a mean over tasks tried again."""
    again = [one for pair in pairs for one in (pair.base, pair.candidate) if one.attempts > 1]
    return sum(map(_variance, again)) / len(again)


def _variance(task: TaskTries) -> float:
    return task.mean * (1 - task.mean) * task.attempts / (task.attempts - 1)


def _shares(pair: TaskPair) -> float:
    return 1 / pair.base.attempts + 1 / pair.candidate.attempts

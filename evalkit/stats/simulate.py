"""How often a drop of known size would be caught: comparisons drawn by chance."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalkit.stats.paired import TaskPair, drop_p, pair_up
from evalkit.stats.tries import TaskTries
from evalkit.types import Record

if TYPE_CHECKING:
    import numpy as np

    Rates = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Caught(Record):
    """Shares of the simulated comparisons, from 0 to 1."""

    significant: float
    """The drop estimated exceeds what is allowed, and p < alpha."""
    doubtful: float
    """It exceeds what is allowed, and p does not say so."""


def simulate_drop(
    rates: Sequence[float],
    repos: Sequence[str],
    drop: float,
    *,
    attempts: int,
    base_attempts: int,
    max_drop: float = 2.0,
    alpha: float = 0.05,
    nights: int = 1_000,
    seed: int = 0,
) -> Caught:
    """Compare `nights` times a run with a base whose score is `drop` points higher.

    `rates` are the tasks' chances of being resolved in the base, from 0 to 1; in the other run
    each is lower by the same amount, cut off at 0, such that their mean drops by `drop` points.
    Attempts are independent draws. The rule is that of `evalkit compare`; its bootstrap draws 999
    times here. Raises ValueError where the mean rate is below the drop.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    before = np.asarray(rates, dtype=np.float64)
    after = np.clip(before - _shift(before, drop / 100), 0, 1)
    significant = doubtful = 0
    for night in range(nights):
        base = _drawn(random.binomial(base_attempts, before).tolist(), base_attempts, repos)
        other = _drawn(random.binomial(attempts, after).tolist(), attempts, repos)
        pairs = pair_up(base, other)
        if _dropped(pairs) > max_drop:
            sure = drop_p(pairs, resamples=999, seed=night) < alpha
            significant += sure
            doubtful += not sure
    return Caught(significant=significant / nights, doubtful=doubtful / nights)


def _shift(rates: "Rates", drop: float) -> float:
    """Return what to take off each rate so that their mean falls by `drop`."""
    from scipy.optimize import brentq

    mean = float(rates.mean())
    if not 0 <= drop <= mean:
        raise ValueError(f"a mean rate of {mean:.3f} cannot drop by {drop:.3f}")
    return float(brentq(lambda shift: mean - rates.clip(min=shift).mean() + shift - drop, 0, 1))


def _drawn(resolved: Sequence[int], attempts: int, repos: Sequence[str]) -> list[TaskTries]:
    return [
        TaskTries(task_id=f"{number:04}", repo=repo, resolved=count, attempts=attempts)
        for number, (repo, count) in enumerate(zip(repos, resolved, strict=True))
    ]


def _dropped(pairs: Sequence[TaskPair]) -> float:
    return -100 * sum(pair.difference for pair in pairs) / len(pairs)

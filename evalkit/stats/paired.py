"""Two runs compared on the tasks they have in common. numpy and scipy are imported where used."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from evalkit.stats.tries import TaskTries
from evalkit.types import Record

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

FEWEST_CLUSTERS = 6
"""With fewer repositories tasks are taken as independent: five or less tell too little of how
repositories differ for an interval that holds what it says (`python -m tests.benchmarks.coverage`)."""
_NONE = 1e-9
"""Points; less is rounding."""


class TaskPair(Record):
    """One task in both runs."""

    task_id: str
    repo: str
    base: TaskTries
    candidate: TaskTries

    @property
    def difference(self) -> float:
        """The candidate's mean less the base's, from -1 to 1."""
        return self.candidate.mean - self.base.mean


class McNemar(Record):
    """The exact test on one majority outcome a task: whether wins and losses balance."""

    wins: int
    """Tasks that the candidate alone resolves."""
    losses: int
    """Tasks that the base alone resolves."""
    p: float
    """Two-sided: of any difference."""
    p_drop: float
    """One-sided: of a drop."""


class Difference(Record):
    """The candidate's mean score less the base's, in percentage points, from -100 to 100."""

    estimate: float
    low: float
    high: float
    p: float
    """Two-sided: of any difference."""
    p_drop: float
    """One-sided: of a drop."""
    clusters: int
    """That were drawn from."""
    by_repo: bool
    """Whether they are repositories; tasks, where repositories are few."""


def pair_up(base: Iterable[TaskTries], candidate: Iterable[TaskTries]) -> tuple[TaskPair, ...]:
    """Pair the tasks that both have, in the order of their ids; others do not count."""
    others = {task.task_id: task for task in candidate}
    common = sorted(
        (task for task in base if task.task_id in others), key=lambda task: task.task_id
    )
    return tuple(
        TaskPair(task_id=one.task_id, repo=one.repo, base=one, candidate=others[one.task_id])
        for one in common
    )


def mcnemar(pairs: Iterable[TaskPair]) -> McNemar:
    """Compare majority outcomes, a tie taken as not resolved (McNemar, 1947; exact: binomial).

    Without a task that only one of them resolves, both p are 1.
    """
    from scipy.stats import binomtest

    flips = [
        pair.candidate.majority
        for pair in pairs
        if pair.base.majority is not pair.candidate.majority
    ]
    wins, losses = sum(flips), len(flips) - sum(flips)
    if not flips:
        return McNemar(wins=0, losses=0, p=1.0, p_drop=1.0)
    return McNemar(
        wins=wins,
        losses=losses,
        p=float(binomtest(wins, len(flips)).pvalue),
        p_drop=float(binomtest(wins, len(flips), alternative="less").pvalue),
    )


def tried_once(pairs: Iterable[TaskPair]) -> bool:
    """Whether each task has one attempt in each run: then the test is McNemar's."""
    return all(pair.base.attempts == pair.candidate.attempts == 1 for pair in pairs)


def drop_p(pairs: Sequence[TaskPair], *, resamples: int = 9_999, seed: int = 0) -> float:
    """Return the one-sided p of a drop: exact McNemar's for tasks tried once, else the bootstrap's."""
    if tried_once(pairs):
        return mcnemar(pairs).p_drop
    return paired_bootstrap(pairs, resamples=resamples, seed=seed).p_drop


def clusters_of(pairs: Sequence[TaskPair]) -> list[str]:
    """Return the cluster of each pair: its repository, or itself where repositories are few."""
    if _by_repo(pairs):
        return [pair.repo for pair in pairs]
    return [pair.task_id for pair in pairs]


def _by_repo(pairs: Sequence[TaskPair]) -> bool:
    return len({pair.repo for pair in pairs}) >= FEWEST_CLUSTERS


def paired_bootstrap(
    pairs: Sequence[TaskPair],
    *,
    confidence: float = 0.95,
    resamples: int = 9_999,
    seed: int = 0,
) -> Difference:
    """Compare the tasks' means by a bootstrap over whole clusters, studentised.

    Clusters are drawn with replacement; each draw's mean difference less the observed one is
    divided by the draw's own cluster-robust standard error, and quantiles of that give interval
    and p (bootstrap-t: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 12; for
    few clusters Cameron, Gelbach and Miller, Review of Economics and Statistics 90, 2008). The
    plain percentile interval is too narrow at the 11 repositories of SWE-bench Pro. The same seed
    gives the same figures. Raises ValueError without pairs.
    """
    import numpy as np

    if not pairs:
        raise ValueError("no task in common: nothing to compare")
    names, index = np.unique(clusters_of(pairs), return_inverse=True)
    sizes = np.bincount(index).astype(np.float64)
    points = [100 * pair.difference for pair in pairs]
    sums = np.bincount(index, weights=points).astype(np.float64)
    observed, error = _studentised(np.ones((1, len(names))), sizes, sums)
    estimate, one_error = float(observed[0]), float(error[0])
    draws = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=resamples
    )
    means, errors = _studentised(draws.astype(float), sizes, sums)
    pivots = _ratio(means - estimate, errors)
    pivot = float(_ratio(observed, error)[0])
    upper, lower = np.quantile(
        pivots, [(1 + confidence) / 2, (1 - confidence) / 2], method="inverted_cdf"
    )
    below = (1 + int(np.sum(pivots <= pivot))) / (1 + resamples)
    above = (1 + int(np.sum(pivots >= pivot))) / (1 + resamples)
    return Difference(
        estimate=estimate,
        low=max(-100.0, estimate - float(upper) * one_error) if one_error > _NONE else estimate,
        high=min(100.0, estimate - float(lower) * one_error) if one_error > _NONE else estimate,
        p=min(1.0, 2 * min(below, above)),
        p_drop=below,
        clusters=len(names),
        by_repo=_by_repo(pairs),
    )


def _studentised(draws: "Floats", sizes: "Floats", sums: "Floats") -> tuple["Floats", "Floats"]:
    """Return mean and standard error of each draw; a row of `draws` says how often each is in it."""
    import numpy as np

    totals = draws @ sizes
    means = draws @ sums / totals
    residuals = (sums - means[:, None] * sizes) ** 2
    return means, np.sqrt((draws * residuals).sum(axis=1)) / totals


def _ratio(differences: "Floats", errors: "Floats") -> "Floats":
    """Divide; without any spread a difference is beyond all bounds, and none is none."""
    import numpy as np

    # Rounding leaves a hair of a spread, or of a difference, where there is none.
    small, none = errors < _NONE, np.abs(differences) < _NONE
    beyond = np.where(differences > 0, np.inf, -np.inf)
    return np.where(none, 0.0, np.where(small, beyond, differences / np.where(small, 1.0, errors)))

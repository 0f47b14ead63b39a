"""Scores of tasks that come in clusters: those of one repository stand or fall together.

scipy is imported where it is used: `evalkit run`, which needs none of this, starts without it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from evalkit.stats.rates import Interval
from evalkit.stats.tries import TaskTries


class Spread(NamedTuple):
    """How uncertain a mean over clustered values is."""

    error: float
    """Its standard error, in the values' unit."""
    freedom: float
    """Degrees of freedom of the t distribution that goes with it."""


def spread(values: Sequence[float], clusters: Sequence[str]) -> Spread | None:
    """Return the cluster-robust standard error of the mean of `values`; None for one cluster.

    The CR2 estimator with Satterthwaite's degrees of freedom (Bell and McCaffrey, Survey
    Methodology 28, 2002), worked out for a mean: each cluster's sum of residuals counts 1/(1 - its
    share of the values), and the degrees are what independent values would give. Imbens and
    Kolesár (Review of Economics and Statistics 98, 2016) advise it for few or unequal clusters; G
    clusters of one size have G - 1 degrees.
    """
    total, mean = len(values), sum(values) / len(values)
    grouped = defaultdict(list)
    for value, cluster in zip(values, clusters, strict=True):
        grouped[cluster].append(value - mean)
    if len(grouped) < 2:
        return None
    sizes = [len(group) for group in grouped.values()]
    rest = [1 - size / total for size in sizes]
    squares = (sum(group) ** 2 / left for group, left in zip(grouped.values(), rest, strict=True))
    error = sqrt(sum(squares)) / total
    # Of the matrix of the sums' covariances, the squares on the diagonal and those beside it.
    shares = [(size / total) ** 2 / left for size, left in zip(sizes, rest, strict=True)]
    beside = sum(shares) ** 2 - sum(share * share for share in shares)
    freedom = 1 / (sum((size / total) ** 2 for size in sizes) + beside)
    return Spread(error, freedom)


def clustered(tasks: Sequence[TaskTries], *, confidence: float = 0.95) -> Interval | None:
    """Return the mean of the tasks' means with an interval clustered by repository.

    Mean ± t * standard error as in `spread`, cut off at 0 and 1; every task counts the same,
    however often it was tried. None where all tasks are of one repository. Where every repository
    scores the same the width is zero: read it beside `wilson`. Raises ValueError without tasks.
    """
    from scipy.stats import t

    if not tasks:
        raise ValueError("no task, no score")
    values = [task.mean for task in tasks]
    uncertain = spread(values, [task.repo for task in tasks])
    if uncertain is None:
        return None
    mean = sum(values) / len(values)
    half = float(t.ppf((1 + confidence) / 2, uncertain.freedom)) * uncertain.error
    return Interval(estimate=mean, low=max(0.0, mean - half), high=min(1.0, mean + half))


def without_each_repo(tasks: Iterable[TaskTries]) -> Mapping[str, float]:
    """Return, by repository, the mean of the tasks' means with that repository left out.

    Empty where all tasks are of one repository.
    """
    by_repo = defaultdict(list)
    for task in tasks:
        by_repo[task.repo].append(task.mean)
    total = sum(sum(means) for means in by_repo.values())
    count = sum(len(means) for means in by_repo.values())
    return {
        repo: (total - sum(means)) / (count - len(means))
        for repo, means in sorted(by_repo.items())
        if len(means) < count
    }

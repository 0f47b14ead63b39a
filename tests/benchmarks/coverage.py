"""`python -m tests.benchmarks.coverage`: how often each interval holds the truth, and the power.

Tasks are drawn from a population whose mean is known: 0.45 for a score, a drop of 10 points for a
comparison. Where repositories differ, each has a mean of its own, and tasks scatter about that.
An interval that keeps its word holds the truth in 95 % of the rounds.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from evalkit.stats import (
    TaskTries,
    clustered,
    mcnemar,
    pair_up,
    paired_bootstrap,
    simulate_drop,
    wilson,
)

MEAN, DROP = 0.45, 10.0
PRO = (96, 91, 85, 79, 76, 65, 62, 57, 56, 44, 20)
"""Public instances of SWE-bench Pro by repository."""
NIGHT = (6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5)
FEW = (10, 10, 10, 10, 10, 10)


class Design(NamedTuple):
    """What is drawn."""

    name: str
    sizes: tuple[int, ...]
    """Tasks by repository."""
    attempts: int = 1
    like: float | None = None
    """How like one another repositories are: the sum of a beta distribution's parameters, from
    which their means are drawn. None: they do not differ."""


DESIGNS = tuple(
    Design(f"{name}, {attempts} attempts each{', repositories differ' if like else ''}", sizes, attempts, like)
    for name, sizes in (("731 tasks", PRO), ("60 tasks", NIGHT), ("60 of 6 repositories", FEW))
    for attempts in (1, 5)
    for like in (None, 12.0)
)  # fmt: skip


class Draw(NamedTuple):
    """One round: a run, and one that is worse."""

    base: list[TaskTries]
    candidate: list[TaskTries]


def draw(design: Design, random: np.random.Generator) -> Draw:
    """Draw two runs over the same tasks."""
    repos = np.repeat(np.arange(len(design.sizes)), design.sizes)
    means = _about(MEAN, design.like, len(design.sizes), random)[repos]
    lost = _about(DROP / 100 / MEAN, design.like, len(design.sizes), random)[repos]
    rates = random.beta(2 * means + 1e-9, 2 * (1 - means) + 1e-9)
    return Draw(
        _tries(random.binomial(design.attempts, rates).tolist(), design, repos.tolist()),
        _tries(
            random.binomial(design.attempts, rates * (1 - lost)).tolist(), design, repos.tolist()
        ),
    )


def by_wilson(one: Draw) -> bool:
    """Whether Wilson's interval holds the score; it takes attempts as independent."""
    interval = wilson(
        sum(task.resolved for task in one.base), sum(task.attempts for task in one.base)
    )
    return interval.low <= MEAN <= interval.high


def by_cluster(one: Draw) -> bool:
    """Whether the interval clustered by repository holds the score."""
    interval = clustered(one.base)
    return interval is not None and interval.low <= MEAN <= interval.high


def by_bootstrap(one: Draw) -> bool:
    """Whether the paired bootstrap's interval holds the drop."""
    found = paired_bootstrap(pair_up(one.base, one.candidate), resamples=999)
    return found.low <= -DROP <= found.high


INTERVALS: dict[str, Callable[[Draw], bool]] = {
    "wilson": by_wilson,
    "clustered": by_cluster,
    "paired bootstrap": by_bootstrap,
}


def coverage(design: Design, holds: Callable[[Draw], bool], *, rounds: int, seed: int = 0) -> float:
    """Return the share of rounds in which the interval holds the truth."""
    random = np.random.default_rng(seed)
    return sum(holds(draw(design, random)) for _ in range(rounds)) / rounds


def false_alarms(attempts: int, *, rounds: int, seed: int = 0) -> float:
    """Return how often exact McNemar finds a drop at 0.05 where there is none."""
    random = np.random.default_rng(seed)
    repos = [0] * 60
    found = 0
    for _ in range(rounds):
        counts = random.binomial(attempts, MEAN, size=(2, 60)).tolist()
        design = Design("", (60,), attempts)
        pairs = pair_up(*(_tries(one, design, repos) for one in counts))
        found += mcnemar(pairs).p_drop < 0.05
    return found / rounds


def _about(
    mean: float, like: float | None, count: int, random: np.random.Generator
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    if like is None:
        return np.full(count, mean)
    return random.beta(mean * like, (1 - mean) * like, count)


def _tries(resolved: Sequence[int], design: Design, repos: Sequence[int]) -> list[TaskTries]:
    return [
        TaskTries(task_id=f"{number:04}", repo=str(repo), resolved=count, attempts=design.attempts)
        for number, (count, repo) in enumerate(zip(resolved, repos, strict=True))
    ]


def main() -> None:
    """Draw, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2_000)
    rounds: int = parser.parse_args().rounds
    console = Console(highlight=False, width=110)
    table = Table("drawn", *INTERVALS, title=f"coverage of 95 % intervals, {rounds} rounds")
    for design in DESIGNS:
        shares = [coverage(design, holds, rounds=rounds) for holds in INTERVALS.values()]
        table.add_row(design.name, *(f"{share:.1%}" for share in shares))
    console.print(table)
    console.print(f"false alarms of exact McNemar: {false_alarms(1, rounds=rounds):.1%}")
    console.print(_power(rounds))


def _power(rounds: int) -> Table:
    """Lay out how often a drop of 10 points on 60 tasks is significant and above 2 points."""
    repos = [str(repo) for repo, size in enumerate(NIGHT) for _ in range(size)]
    uneven = np.random.default_rng(0).beta(0.9, 1.1, 60).tolist()
    models = {"each task 0.45": [MEAN] * 60, "tasks from beta(0.9, 1.1)": uneven}
    title = "60 tasks: comparisons that end with 1"
    table = Table("attempts", "base's", *models, "no drop at all", title=title)
    for attempts, base in ((1, 1), (1, 5), (3, 5), (5, 5), (21, 5)):
        shares = [
            simulate_drop(
                rates, repos, drop, attempts=attempts, base_attempts=base, nights=rounds
            ).significant
            for rates, drop in (*((model, DROP) for model in models.values()), ([MEAN] * 60, 0.0))
        ]
        table.add_row(str(attempts), str(base), *(f"{share:.0%}" for share in shares))
    return table


if __name__ == "__main__":
    main()

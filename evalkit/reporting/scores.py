"""A run's scores in words, as the terminal and the report tell them."""

from collections.abc import Iterator
from typing import NamedTuple

from evalkit.reporting.summary import Score, Summary


class Fact(NamedTuple):
    """A line of a list of facts."""

    name: str
    value: str


def scores(summary: Summary) -> Iterator[Fact]:
    """Yield the score of everything, then those that leave something out or ask for more.

    Runs side by side share the names.
    """
    yield Fact("resolved", _of_all(summary.score))
    infra = summary.score_without_infra
    for name, score in (
        ("without infra errors", infra if infra != summary.score else None),
        (
            "without doubtful attempts",
            summary.score_without_doubtful if summary.doubtful else None,
        ),
        ("without known bad tasks", summary.score_without_known_bad),
        ("with newlines completed", summary.score_repaired),
    ):
        if score is not None:
            yield Fact(name, _of_all(score))
    for name, of_k in (("pass@", summary.pass_at_k), ("pass^", summary.pass_hat_k)):
        if of_k and of_k.score is not None:
            fewer = ", the rest with fewer attempts" if of_k.tasks < summary.tasks else ""
            over = f"{of_k.score:.1%} over {of_k.tasks:,} of {summary.tasks:,} tasks{fewer}"
            yield Fact(f"{name}{of_k.k}", over)


def _of_all(score: Score) -> str:
    """Say a score with its interval and what it is of."""
    rate = score.rate
    return (
        f"{rate.estimate:.1%}, {score.resolved:,} of {score.of:,} "
        f"(95 % interval {rate.low:.1%} to {rate.high:.1%})"
    )

"""Statistics of a run: pure functions, no I/O, clock or randomness."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import NormalDist
from typing import Self

from pydantic import Field, model_validator

from evalkit.types import Record


class Interval(Record):
    """An estimated share with its confidence interval, each from 0 to 1."""

    estimate: float
    low: float
    high: float


class Span(Record):
    """One request to the engine; `start` and `end` are unix seconds."""

    start: float
    end: float
    """The last token's arrival."""
    completion_tokens: int = Field(ge=0)

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"a request that began at {self.start} cannot end at {self.end}")
        return self


def wilson(passed: int, total: int, *, confidence: float = 0.95) -> Interval:
    """Return a pass rate with its Wilson score interval (Wilson, 1927).

    Raises ValueError unless 0 <= passed <= total and total > 0. The formula stands here because
    loading scipy for it takes 0.9 s and 60 MB.
    """
    if not 0 <= passed <= total or not total:
        raise ValueError(f"{passed} of {total} is no pass rate")
    rate = passed / total
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    spread = 1 + z * z / total
    middle = (rate + z * z / (2 * total)) / spread
    half = z / spread * sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    # At the ends the bound is the rate itself; rounding may put it a hair beside.
    low = 0.0 if passed == 0 else middle - half
    high = 1.0 if passed == total else middle + half
    return Interval(estimate=rate, low=low, high=high)


def output_tok_s(spans: Sequence[Span], sessions: Sequence[float] = ()) -> float | None:
    """Return completion tokens divided by (last token - first request), in tokens a second.

    Of a run that was gone on with, that time is summed over its sessions, which began at the
    unix seconds of `sessions`: nobody asks between them. None where no time passed.
    """
    seconds = sum(
        max(span.end for span in part) - min(span.start for span in part)
        for part in _by_session(spans, sessions)
    )
    return _tokens(spans) / seconds if seconds > 0 else None


def _by_session(spans: Iterable[Span], sessions: Sequence[float]) -> Iterable[Sequence[Span]]:
    parts = defaultdict(list)
    for span in spans:
        parts[bisect_right(sessions, span.start)].append(span)
    return parts.values()


def busy_tok_s(spans: Sequence[Span]) -> float | None:
    """Return completion tokens divided by the time with a request in flight, in tokens a second.

    None where no time passed.
    """
    seconds = busy_seconds(spans)
    return _tokens(spans) / seconds if seconds > 0 else None


def busy_seconds(spans: Iterable[Span]) -> float:
    """Return the seconds during which at least one request was in flight."""
    seconds = 0.0
    covered_until = float("-inf")
    for span in sorted(spans, key=lambda span: span.start):
        seconds += max(0.0, span.end - max(span.start, covered_until))
        covered_until = max(covered_until, span.end)
    return seconds


def _tokens(spans: Iterable[Span]) -> int:
    return sum(span.completion_tokens for span in spans)

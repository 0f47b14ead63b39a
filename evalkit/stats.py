"""Statistics of a run: pure functions, no I/O, clock or randomness."""

from collections.abc import Iterable, Sequence
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
    """Return a pass rate with its Wilson score interval. Raises ValueError for a total of 0."""
    from scipy.stats import binomtest  # takes a second: not at import

    interval = binomtest(passed, total).proportion_ci(confidence, method="wilson")
    return Interval(estimate=passed / total, low=float(interval.low), high=float(interval.high))


def output_tok_s(spans: Sequence[Span]) -> float | None:
    """Return completion tokens divided by (last token - first request), in tokens a second.

    None where no time passed.
    """
    if not spans:
        return None
    seconds = max(span.end for span in spans) - min(span.start for span in spans)
    return _tokens(spans) / seconds if seconds > 0 else None


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

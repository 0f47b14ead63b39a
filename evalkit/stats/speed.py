"""Tokens a second, from the requests of a run."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Self

from pydantic import Field, model_validator

from evalkit.types import Record


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

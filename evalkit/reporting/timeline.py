"""Tokens a second and running requests over time, in equal steps."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from evalkit.reporting.run import Run
from evalkit.stats import Span
from evalkit.types import EngineSample, Record

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
_MOST_STEPS = 90


class Timeline(Record):
    """Means over equal steps; lists of one length."""

    source: Literal["engine", "turns"]
    step_s: float
    tokens_per_second: tuple[float, ...]
    """Output tokens a second."""
    running: tuple[float, ...]
    """Requests in flight."""


class _Amount(NamedTuple):
    """Something that happened evenly between two instants (unix seconds)."""

    start: float
    end: float
    amount: float


def timeline(run: Run) -> Timeline | None:
    """Return a run's speed over time; None where no request was made.

    From the engine's counter where it was sampled; else from the turns, each turn's tokens spread
    evenly over its request.
    """
    if len(run.samples) > 1:
        return _build("engine", *_of_samples(run.samples))
    if run.requests:
        return _build("turns", *_of_requests(run.requests))
    return None


def _of_samples(samples: Sequence[EngineSample]) -> tuple[list[_Amount], list[_Amount]]:
    tokens, running = [], []
    for before, after in pairwise(samples):
        grown = after.generation_tokens - before.generation_tokens
        # A counter that fell belongs to an engine that was started anew, at zero.
        made = grown if grown >= 0 else after.generation_tokens
        tokens.append(_Amount(before.t, after.t, made))
        running.append(_Amount(before.t, after.t, before.running * (after.t - before.t)))
    return tokens, running


def _of_requests(requests: Iterable[Span]) -> tuple[list[_Amount], list[_Amount]]:
    tokens, running = [], []
    for span in requests:
        tokens.append(_Amount(span.start, span.end, span.completion_tokens))
        running.append(_Amount(span.start, span.end, span.end - span.start))
    return tokens, running


def _build(
    source: Literal["engine", "turns"], tokens: list[_Amount], running: list[_Amount]
) -> Timeline:
    origin = min(amount.start for amount in tokens)
    seconds = max(amount.end for amount in tokens) - origin
    step = next((step for step in _STEPS_S if seconds <= step * _MOST_STEPS), _STEPS_S[-1])
    steps = max(1, math.ceil(seconds / step))
    return Timeline(
        source=source,
        step_s=step,
        tokens_per_second=_spread(tokens, origin, step, steps),
        running=_spread(running, origin, step, steps),
    )


def _spread(
    amounts: Iterable[_Amount], origin: float, step: float, steps: int
) -> tuple[float, ...]:
    """Return the amount a second within each step."""
    totals = [0.0] * steps
    for start, end, amount in amounts:
        first = min(steps - 1, int((start - origin) / step))
        last = min(steps - 1, int((end - origin) / step))
        for index in range(first, last + 1):
            begin = origin + index * step
            overlap = max(0.0, min(end, begin + step) - max(start, begin))
            totals[index] += amount * overlap / (end - start) if end > start else amount
    return tuple(total / step for total in totals)

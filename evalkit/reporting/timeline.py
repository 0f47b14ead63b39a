"""Tokens a second, running requests and use of the KV cache over time, in equal steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from evalkit.reporting.run import Run
from evalkit.types import EngineSample, Record

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
_MOST_STEPS = 90

Means = tuple[float | None, ...]
"""One value a step; None for a step in which no engine was up."""


class Timeline(Record):
    """Means over equal steps; lists of one length."""

    source: Literal["engine", "turns"]
    step_s: float
    tokens_per_second: Means
    """Output tokens a second."""
    running: Means
    """Requests in flight."""
    kv_usage: Means | None
    """Share of the KV cache in use, 0 to 1; None where the engine does not tell."""
    restarts: tuple[float, ...]
    """When the engine was up again, in seconds since the first step began."""


@dataclass(frozen=True)
class _Stretch:
    """Time between two instants (unix seconds) in which everything went on evenly."""

    start: float
    end: float
    tokens: float
    running: float = 1.0
    kv_usage: float = 0.0


@dataclass
class _Step:
    """What came together in one step; `running` and `kv_usage` times seconds."""

    seconds: float = 0.0
    tokens: float = 0.0
    running: float = 0.0
    kv_usage: float = 0.0


def timeline(run: Run) -> Timeline | None:
    """Return a run's speed over time; None where no request was made.

    From the engine's counter where it was sampled; else from the turns, each turn's tokens spread
    evenly over its request.
    """
    sampled = len(run.samples) > 1
    if sampled:
        stretches = _between_looks(run)
    else:
        stretches = [
            _Stretch(turn.start, turn.end, turn.completion_tokens) for turn in run.requests
        ]
    if not stretches:
        return None
    origin = min(one.start for one in stretches)
    seconds = max(one.end for one in stretches) - origin
    step_s = next((step for step in _STEPS_S if seconds <= step * _MOST_STEPS), _STEPS_S[-1])
    steps = _add_up(stretches, origin, step_s, max(1, math.ceil(seconds / step_s)))
    up = [not sampled or step.seconds > 0 or step.tokens > 0 for step in steps]
    seen = sampled and any(step.kv_usage for step in steps)
    return Timeline(
        source="engine" if sampled else "turns",
        step_s=step_s,
        tokens_per_second=_means([step.tokens / step_s for step in steps], up),
        running=_means([step.running / step_s for step in steps], up),
        kv_usage=_means([step.kv_usage / (step.seconds or 1) for step in steps], up)
        if seen
        else None,
        restarts=tuple(
            one.started - origin
            for one in run.incarnations[1:]
            if origin < one.started < origin + seconds
        ),
    )


def _between_looks(run: Run) -> list[_Stretch]:
    started = {one.number: one.started for one in run.incarnations}
    return [
        _stretch(before, after, started.get(after.incarnation, after.t))
        for before, after in pairwise(run.samples)
    ]


def _stretch(before: EngineSample, after: EngineSample, started: float) -> _Stretch:
    """Return what went on between two looks.

    An engine that was started between them (its counter began at zero) made its tokens since then.
    """
    made = after.generation_tokens - before.generation_tokens
    if before.incarnation == after.incarnation and made >= 0:
        return _Stretch(before.t, after.t, made, before.running, before.kv_usage)
    start = min(max(before.t, started), after.t)
    return _Stretch(start, after.t, after.generation_tokens, after.running, after.kv_usage)


def _add_up(stretches: Sequence[_Stretch], origin: float, step_s: float, count: int) -> list[_Step]:
    steps = [_Step() for _ in range(count)]
    for one in stretches:
        first = min(count - 1, int((one.start - origin) / step_s))
        last = min(count - 1, int((one.end - origin) / step_s))
        for index in range(first, last + 1):
            begin = origin + index * step_s
            within = max(0.0, min(one.end, begin + step_s) - max(one.start, begin))
            share = within / (one.end - one.start) if one.end > one.start else 1.0
            steps[index].seconds += within
            steps[index].tokens += one.tokens * share
            steps[index].running += one.running * within
            steps[index].kv_usage += one.kv_usage * within
    return steps


def _means(values: Sequence[float], up: Sequence[bool]) -> Means:
    return tuple(value if there else None for value, there in zip(values, up, strict=True))

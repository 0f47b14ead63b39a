from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.reporting.run import Run, Turn
from evalkit.reporting.timeline import Timeline, timeline
from evalkit.types import EngineSample, Incarnation


def _timeline(
    *,
    requests: tuple[Turn, ...] = (),
    samples: tuple[EngineSample, ...] = (),
    starts: tuple[float, ...] = (),
) -> Timeline | None:
    return timeline(
        Run(
            path=Path(),
            manifest={},
            selected=("demo",),
            attempts=1,
            results=(),
            samples=samples,
            requests=requests,
            incarnations=tuple(
                Incarnation(number=number, started=started, max_model_len=4096)
                for number, started in enumerate(starts, 1)
            ),
        )
    )


def _span(start: float, end: float, tokens: int) -> Turn:
    return Turn(start=start, end=end, completion_tokens=tokens)


def _sample(t: float, tokens: int, running: int = 1, **more: Any) -> EngineSample:
    return EngineSample(t=t, generation_tokens=tokens, running=running, **more)


def _tokens(line: Timeline | None) -> tuple[float | None, ...] | None:
    return line.tokens_per_second if line else None


RESTARTED = (
    _sample(0, 0, kv_usage=0.2),
    _sample(2, 20, kv_usage=0.6),
    _sample(6, 9, incarnation=2, kv_usage=0.1),
    _sample(7, 16, incarnation=2, kv_usage=0.1),
)
"""An engine that ended after 2 s; the next was up at 5.5 s."""


def test_a_turns_tokens_spread_evenly_over_its_request() -> None:
    line = _timeline(requests=(_span(100, 102, 30), _span(101, 104, 30)))
    assert _tokens(line) == (15, 25, 10, 10)


def test_running_requests_are_a_mean_over_the_step() -> None:
    line = _timeline(requests=(_span(100, 102, 0), _span(101.5, 103, 0)))
    assert line is not None
    assert line.running == (1, 1.5, 1)


def test_the_engines_counter_is_taken_where_it_was_sampled() -> None:
    line = _timeline(
        requests=(_span(0, 4, 999),), samples=(_sample(0, 500), _sample(2, 520), _sample(3, 550))
    )
    assert _tokens(line) == (10, 10, 30)


def test_a_counter_that_fell_began_anew_at_zero() -> None:
    line = _timeline(samples=(_sample(0, 500), _sample(1, 510), _sample(2, 7)))
    assert _tokens(line) == (10, 7)


def test_an_engine_that_was_started_anew_made_its_tokens_since_then() -> None:
    line = _timeline(samples=RESTARTED, starts=(-3, 5.5))
    assert _tokens(line) == (10, 10, None, None, None, 9, 7)


def test_without_its_start_they_are_put_down_to_the_first_look_at_it() -> None:
    assert _tokens(_timeline(samples=RESTARTED)) == (10, 10, None, None, None, None, 16)


def test_no_request_runs_in_an_engine_that_is_not_there() -> None:
    line = _timeline(samples=RESTARTED, starts=(-3, 5.5))
    assert line is not None
    assert line.running == (1, 1, None, None, None, 0.5, 1)


def test_the_use_of_the_cache_is_a_mean_over_the_time_the_engine_was_there() -> None:
    line = _timeline(samples=RESTARTED, starts=(-3, 5.5))
    assert line is not None
    assert line.kv_usage == pytest.approx((0.2, 0.2, None, None, None, 0.1, 0.1))


def test_it_is_told_when_the_engine_was_up_again() -> None:
    line = _timeline(samples=RESTARTED, starts=(-3, 5.5))
    assert line is not None
    assert line.restarts == (5.5,)


@pytest.mark.parametrize(
    "source",
    [{"requests": (_span(0, 1, 3),)}, {"samples": (_sample(0, 0), _sample(1, 1))}],
    ids=["turns", "engine"],
)
def test_a_cache_that_nobody_tells_of_has_no_line(source: Any) -> None:
    line = _timeline(**source)
    assert line is not None
    assert line.kv_usage is None


def test_one_sample_alone_shows_no_speed() -> None:
    line = _timeline(samples=(_sample(0, 5),), requests=(_span(0, 1, 3),))
    assert _tokens(line) == (3,)


def test_a_run_without_requests_has_no_timeline() -> None:
    assert _timeline() is None


@pytest.mark.parametrize(("seconds", "step"), [(0.2, 1), (90, 1), (91, 2), (6 * 3600, 300)])
def test_a_longer_run_has_longer_steps(seconds: float, step: float) -> None:
    line = _timeline(requests=(_span(0, seconds, 10),))
    assert line is not None
    assert line.step_s == step


@st.composite
def _spans(draw: st.DrawFn) -> Turn:
    start = 1.7e9 + draw(st.floats(0, 5000))
    return _span(start, start + draw(st.floats(0, 500)), draw(st.integers(0, 5000)))


@given(st.lists(_spans(), min_size=1, max_size=15))
def test_no_token_is_lost(requests: list[Turn]) -> None:
    line = _timeline(requests=tuple(requests))
    assert line is not None
    shown = sum(tokens or 0 for tokens in line.tokens_per_second) * line.step_s
    assert shown == pytest.approx(sum(span.completion_tokens for span in requests), rel=1e-3)

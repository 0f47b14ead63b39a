from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.reporting.run import Run, Turn
from evalkit.reporting.timeline import Timeline, timeline
from evalkit.types import EngineSample


def _timeline(
    *, requests: tuple[Turn, ...] = (), samples: tuple[EngineSample, ...] = ()
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
        )
    )


def _span(start: float, end: float, tokens: int) -> Turn:
    return Turn(start=start, end=end, completion_tokens=tokens)


def _sample(t: float, tokens: int, running: int = 1) -> EngineSample:
    return EngineSample(t=t, generation_tokens=tokens, running=running)


def _tokens(line: Timeline | None) -> tuple[float, ...] | None:
    return line.tokens_per_second if line else None


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
    shown = sum(line.tokens_per_second) * line.step_s
    assert shown == pytest.approx(sum(span.completion_tokens for span in requests), rel=1e-3)

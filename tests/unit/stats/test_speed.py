from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from evalkit.stats import Span, busy_seconds, busy_tok_s, output_tok_s


def span(start: float, end: float, tokens: int = 0) -> Span:
    return Span(start=start, end=end, completion_tokens=tokens)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start = draw(st.integers(0, 1000))
    return span(start, start + draw(st.integers(0, 100)), draw(st.integers(0, 500)))


SPANS = st.lists(spans(), max_size=12)
IDLE_BETWEEN = [span(0, 2, 30), span(1, 4, 50), span(14, 20, 20)]
"""100 tokens in 20 seconds, of which the ten from 4 to 14 had no request."""


def test_output_speed_counts_idle_time() -> None:
    assert output_tok_s(IDLE_BETWEEN) == 5.0


def test_time_between_sessions_is_not_counted() -> None:
    assert output_tok_s(IDLE_BETWEEN, [0.0, 12.0]) == 10.0


def test_busy_speed_leaves_idle_time_out() -> None:
    assert busy_tok_s(IDLE_BETWEEN) == 10.0


def test_a_request_within_another_adds_no_busy_time() -> None:
    assert busy_seconds([span(0, 10), span(2, 3), span(9, 10)]) == 10


@pytest.mark.parametrize("nothing", [[], [span(5, 5, 7)]])
def test_without_time_there_is_no_output_speed(nothing: list[Span]) -> None:
    assert output_tok_s(nothing) is None


@pytest.mark.parametrize("nothing", [[], [span(5, 5, 7)]])
def test_without_time_there_is_no_busy_speed(nothing: list[Span]) -> None:
    assert busy_tok_s(nothing) is None


@given(SPANS)
def test_busy_time_is_the_time_that_some_request_covers(requests: list[Span]) -> None:
    covered = {
        second for one in requests for second in range(int(one.start), int(one.end))
    }  # whole seconds, since the spans begin and end on them
    assert busy_seconds(requests) == len(covered)


@given(SPANS)
def test_busy_speed_is_never_below_output_speed(requests: list[Span]) -> None:
    busy, overall = busy_tok_s(requests), output_tok_s(requests)
    assume(busy is not None and overall is not None)
    assert (busy or 0) >= (overall or 0)


@given(SPANS, st.randoms())
def test_the_order_of_requests_does_not_matter(requests: list[Span], random: Random) -> None:
    shuffled = random.sample(requests, len(requests))
    assert busy_tok_s(shuffled) == busy_tok_s(requests)


def test_a_request_cannot_end_before_it_began() -> None:
    with pytest.raises(ValidationError, match="cannot end"):
        span(2, 1)

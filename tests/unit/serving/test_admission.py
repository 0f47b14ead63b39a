import threading
import time
from concurrent.futures import CancelledError
from contextlib import ExitStack
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import EngineGoneError
from evalkit.serving.admission import BLOCK_ABOVE, GROW_BELOW, Decision, Gate, Pace
from evalkit.types import EngineSample
from tests.doubles.notes import Notebook


def look(t: float = 100, **facts: object) -> EngineSample:
    return EngineSample.model_validate({"t": t, **facts})


def gate(most: int = 2, stopping: Event | None = None) -> Gate:
    return Gate(most, stopping or Event(), Notebook().event)


def waits(of: Gate) -> bool:
    """Whether one more rollout has to wait, for a while at least."""
    started = Event()

    def work() -> None:
        try:
            with of.slot():
                started.set()
        except (CancelledError, EngineGoneError):
            pass

    thread = threading.Thread(target=work)
    thread.start()
    waited = not started.wait(0.1)
    of.close("the test is over")
    thread.join()
    return waited


@pytest.mark.parametrize(("capacity", "first"), [(100, 3), (1000, 8), (10, 1), (0, 8)])
def test_as_many_start_as_fit_but_one_at_least_and_all_where_nobody_knows(
    capacity: int, first: int
) -> None:
    assert Pace(8, 30).first(look(capacity_tokens=capacity), 4096).limit == first


def test_where_nobody_says_how_long_a_rollout_is_it_is_half_of_what_is_served() -> None:
    assert Pace(50, None).first(look(capacity_tokens=10_000), 2000).limit == 10


def test_one_more_is_admitted_while_the_cache_is_roomy_and_nothing_waits() -> None:
    pace = Pace(8, 30)
    pace.first(look(100, capacity_tokens=100), 4096)
    assert pace.next(3, 3, look(131, kv_usage=0.5)).limit == 4


def test_growth_pauses_until_the_last_ones_context_shows() -> None:
    pace = Pace(8, 30)
    pace.first(look(100, capacity_tokens=100), 4096)
    pace.next(3, 3, look(131, kv_usage=0.5))
    assert pace.next(4, 4, look(133, kv_usage=0.5)).limit == 4


@pytest.mark.parametrize(
    "facts",
    [{"kv_usage": 0.81}, {"kv_usage": 0.1, "waiting": 1}],
    ids=["over four fifths", "something waits"],
)
def test_it_does_not_grow_where_the_cache_is_full_or_requests_wait(
    facts: dict[str, float],
) -> None:
    pace = Pace(8, 30)
    pace.first(look(100, capacity_tokens=100), 4096)
    assert pace.next(3, 3, look(200, **facts)).limit == 3


def test_it_does_not_grow_right_after_the_cache_was_full() -> None:
    pace = Pace(8, 30)
    pace.first(look(100, capacity_tokens=1000), 4096)
    pace.next(3, 3, look(110, capacity_tokens=1000, kv_usage=0.95))
    assert pace.next(3, 3, look(140, capacity_tokens=1000, kv_usage=0.1)).limit == 3


def test_it_grows_once_the_cache_has_been_roomy_for_long_enough() -> None:
    pace = Pace(8, 30)
    pace.first(look(100, capacity_tokens=1000), 4096)
    pace.next(3, 3, look(110, capacity_tokens=1000, kv_usage=0.95))
    pace.next(3, 3, look(140, capacity_tokens=1000, kv_usage=0.1))
    assert pace.next(3, 3, look(171, capacity_tokens=1000, kv_usage=0.1)).limit == 4


def test_it_does_not_grow_where_one_more_may_not_fit() -> None:
    pace = Pace(8, 30)
    pace.first(look(100, capacity_tokens=100), 4096)
    assert pace.next(3, 3, look(200, capacity_tokens=100, kv_usage=0.61)).limit == 3


def test_it_does_not_grow_while_places_are_free() -> None:
    pace = Pace(8, 30)
    pace.first(look(100, capacity_tokens=100), 4096)
    assert pace.next(3, 2, look(200)).limit == 3


@given(
    st.integers(1, 50),
    st.integers(0, 50),
    st.floats(0, 1),
    st.integers(0, 5),
)
def test_no_decision_passes_its_bounds(
    limit: int, running: int, kv_usage: float, waiting: int
) -> None:
    decision = Pace(50, 30).next(limit, running, look(1e9, kv_usage=kv_usage, waiting=waiting))
    assert limit <= decision.limit <= (limit + 1 if kv_usage <= GROW_BELOW else limit)
    assert decision.limit <= 50
    assert decision.blocked == (kv_usage > BLOCK_ABOVE)


def test_a_full_gate_lets_nobody_in() -> None:
    full = gate(1)
    with full.slot():
        assert waits(full)


def test_whoever_leaves_makes_room() -> None:
    one = gate(1)
    with one.slot():
        pass
    assert not waits(one)


def test_a_lower_limit_sends_nobody_away_but_lets_nobody_in() -> None:
    lower = gate(3)
    with ExitStack() as stack:
        stack.enter_context(lower.slot())
        stack.enter_context(lower.slot())
        lower.follow(lambda _limit, _running: Decision(1, "less room"), look())
        assert waits(lower)


def test_a_blocked_gate_lets_nobody_in_though_there_is_room() -> None:
    blocked = gate(3)
    blocked.follow(lambda limit, _running: Decision(limit, "full", blocked=True), look())
    assert waits(blocked)


def test_a_block_ends_with_a_decision_that_does_not_block() -> None:
    blocked = gate(3)
    blocked.follow(lambda limit, _running: Decision(limit, "full", blocked=True), look())
    blocked.follow(lambda limit, _running: Decision(limit, "roomy"), look())
    assert not waits(blocked)


def test_a_paused_gate_stays_shut_whatever_the_cache_says() -> None:
    paused = gate(3)
    paused.pause("engine", "it died")
    paused.follow(lambda limit, _running: Decision(limit, "roomy"), look())
    assert waits(paused)


def test_a_resumed_gate_is_open() -> None:
    paused = gate(3)
    paused.pause("engine", "it died")
    paused.resume("engine")
    assert not waits(paused)


def test_a_gate_that_two_things_paused_waits_for_both() -> None:
    paused = gate(3)
    paused.pause("engine", "it died")
    paused.pause("docker", "it does not answer")
    paused.resume("engine")
    assert waits(paused)


def test_a_gate_says_what_paused_it() -> None:
    paused = gate(3)
    paused.pause("docker", "it does not answer")
    assert paused.paused == {"docker": "it does not answer"}


def test_a_closed_gate_says_why() -> None:
    closed = gate()
    closed.close("the engine is gone")
    with pytest.raises(EngineGoneError, match="the engine is gone"), closed.slot():
        pass


def test_nobody_waits_while_the_run_is_being_stopped() -> None:
    stopping = Event()
    full = gate(1, stopping)
    with full.slot():
        threading.Timer(0.05, stopping.set).start()
        begun = time.monotonic()
        with pytest.raises(CancelledError), full.slot():
            pass
    assert time.monotonic() - begun < 5


def test_the_first_decision_is_an_event_though_it_changes_nothing() -> None:
    notes = Notebook()
    Gate(3, Event(), notes.event).follow(lambda limit, _running: Decision(limit, "all fit"), look())
    assert notes.kinds() == ["admission"]


def test_each_change_is_an_event_and_nothing_else_is() -> None:
    notes = Notebook()
    noted = Gate(3, Event(), notes.event)
    noted.follow(lambda _limit, _running: Decision(2, "less room"), look())
    noted.follow(lambda limit, _running: Decision(limit, "as before"), look())
    assert [(kind, facts["limit"], facts["why"]) for kind, facts in notes.events] == [
        ("admission", 2, "less room")
    ]

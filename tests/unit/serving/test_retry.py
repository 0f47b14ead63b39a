"""Which faults are asked about again, how long that waits, and when it ends."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event, Timer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.config.runner import Sampling
from evalkit.errors import EngineError, UnansweredError
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.retry import PAUSES_S, MayPassError, ask_again, retry_after_s
from evalkit.serving.scripted import Scripted
from evalkit.types import Reply
from tests.doubles.asking import HELLO, ask

OK = Scripted(text="ok")
DIED = b'data: {"error": {"message": "core is dead", "code": 500}}\n\n'
HALF = b'data: {"choices": [{"delta": {"content": "par"}}]}\n\n'
AT_ONCE = (0.0, 0.0)

PASSING = {
    "429": Scripted(status=429, text="slow down"),
    "500": Scripted(status=500, text="busy"),
    "503": Scripted(status=503, text="busy"),
    "lost": Scripted(text="x" * 64, lost_after=2),
    "lost before the first event": Scripted(text="x", lost_after=0),
    "no end": Scripted(raw=HALF),
    "half an event": Scripted(raw=HALF + HALF[:20]),
    "nothing": Scripted(raw=b""),
    "error in the stream": Scripted(raw=HALF + DIED),
}


@pytest.mark.row("F5")
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_may_pass_is_tried_again(fault: Scripted) -> None:
    assert ask([fault, OK], pauses_s=AT_ONCE).text == "ok"


@pytest.mark.row("F5")
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_does_not_pass_is_unanswered(fault: Scripted) -> None:
    with pytest.raises(UnansweredError):
        ask([fault] * 3 + [OK], pauses_s=AT_ONCE)


def test_what_has_arrived_of_a_broken_answer_is_told() -> None:
    with pytest.raises(UnansweredError, match=r"broke off.*par"):
        ask([Scripted(raw=HALF)], pauses_s=())


@pytest.mark.parametrize("status", [400, 404, 422])
def test_other_refusals_are_final(status: int) -> None:
    with pytest.raises(EngineError, match=f"{status}: no") as caught:
        ask([Scripted(status=status, text="no"), OK], pauses_s=AT_ONCE)
    assert not isinstance(caught.value, UnansweredError)


def test_nobody_listening_is_unanswered() -> None:
    chat = OpenAIChat("http://127.0.0.1:9/v1", "m", Sampling(), pauses_s=AT_ONCE)
    with pytest.raises(UnansweredError, match="cannot be reached"):
        chat.chat(HELLO, [], deadline=time.monotonic() + 30)


@pytest.mark.row("F7")
def test_silence_is_unanswered_before_the_deadline() -> None:
    with pytest.raises(UnansweredError, match=r"sent nothing for 0\.2 s"):
        ask([Scripted(text="x", delay_s=1)], stall_s=0.2)


def test_silence_before_the_answer_is_the_same() -> None:
    with pytest.raises(UnansweredError, match=r"sent nothing for 0\.2 s"):
        ask([Scripted(text="x", silent_s=1)], stall_s=0.2)


def test_silence_is_not_waited_for_twice() -> None:
    with pytest.raises(UnansweredError):
        ask([Scripted(text="x", silent_s=1), OK], stall_s=0.2, pauses_s=AT_ONCE)


@pytest.mark.row("F5")
@pytest.mark.parametrize("seconds", ["1", "1.0"])
def test_an_engine_that_says_when_is_asked_then(seconds: str) -> None:
    begun = time.monotonic()
    ask([Scripted(status=429, headers={"Retry-After": seconds}), OK], pauses_s=AT_ONCE)
    assert 1 <= time.monotonic() - begun < 5


def test_one_that_says_a_time_past_the_deadline_is_not_waited_for() -> None:
    begun = time.monotonic()
    with pytest.raises(UnansweredError, match="429"):
        ask([Scripted(status=429, headers={"Retry-After": "60"}), OK], seconds=10)
    assert time.monotonic() - begun < 5


@pytest.mark.row("F5")
def test_no_retry_starts_after_the_deadline() -> None:
    begun = time.monotonic()
    with pytest.raises(UnansweredError, match="500"):
        ask([Scripted(status=500, text="busy")] * 9, seconds=0.8)
    assert time.monotonic() - begun < 2


@pytest.mark.row("F5")
def test_pauses_grow_and_end() -> None:
    assert sorted(PAUSES_S) == list(PAUSES_S)
    assert sum(PAUSES_S) < 20


class Failing:
    """A question whose tries all fail; it keeps when they were."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def __call__(self) -> Reply:
        self.at.append(time.monotonic())
        raise MayPassError("busy")


def tries(pauses_s: Sequence[float]) -> list[float]:
    failing = Failing()
    deadline = time.monotonic() + 30
    with pytest.raises(UnansweredError):
        ask_again(failing, deadline=deadline, stopping=Event(), pauses_s=pauses_s)
    return failing.at


@pytest.mark.row("F5")
def test_there_is_one_try_more_than_pauses() -> None:
    assert len(tries([0.01] * 3)) == 4


def test_a_pause_is_spread_by_up_to_a_half() -> None:
    first, second = tries([0.2])
    assert 0.1 <= second - first < 1


@pytest.fixture
def stopped_soon() -> Iterator[Event]:
    stopping = Event()
    timer = Timer(0.3, stopping.set)
    timer.start()
    yield stopping
    timer.join()


def test_a_run_that_is_being_stopped_asks_nothing() -> None:
    stopping = Event()
    stopping.set()
    failing = Failing()
    with pytest.raises(EngineError, match="being stopped"):
        ask_again(failing, deadline=time.monotonic() + 30, stopping=stopping)
    assert failing.at == []


def test_a_fault_while_it_is_being_stopped_is_not_told_as_the_engines() -> None:
    stopping = Event()

    def fail() -> Reply:
        stopping.set()
        raise MayPassError("the connection was shut")

    with pytest.raises(EngineError, match="being stopped"):
        ask_again(fail, deadline=time.monotonic() + 30, stopping=stopping, pauses_s=())


WAITS = {
    "for the next chunk": Scripted(text="x" * 1600, delay_s=0.1),
    "for an engine that fell silent": Scripted(text="x", delay_s=20),
    "for an answer that does not begin": Scripted(text="x", silent_s=20),
    "for the next try": Scripted(status=503, headers={"Retry-After": "20"}),
}


@pytest.mark.parametrize("answer", WAITS.values(), ids=WAITS)
def test_a_run_that_is_being_stopped_waits_no_longer(answer: Scripted, stopped_soon: Event) -> None:
    begun = time.monotonic()
    with pytest.raises(EngineError, match="being stopped"):
        ask([answer] * 9, stopping=stopped_soon)
    assert time.monotonic() - begun < 5


def test_a_date_is_as_good_as_seconds() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < retry_after_s(then) <= 60


def test_a_date_that_is_past_asks_for_no_wait() -> None:
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "nan", "inf", "Wed, 99 Oct", "1e999"])
def test_what_is_neither_asks_for_none(header: str | None) -> None:
    assert retry_after_s(header) == 0


@given(st.text())
def test_any_header_is_read(header: str) -> None:
    assert retry_after_s(header) >= 0

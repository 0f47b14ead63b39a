"""What the meter hears of requests, and what they cost it."""

import time
from threading import Thread

import pytest

from evalkit.errors import EngineError
from evalkit.serving.meter import Meter
from evalkit.serving.scripted import Scripted
from evalkit.types import Received, Usage
from tests.doubles.asking import ask

SPENT = Usage(prompt_tokens=100, cached_tokens=64, completion_tokens=20)
ANSWER = Scripted(text="x" * 64, usage=SPENT)
LOST = Scripted(text="x" * 64, usage=SPENT, lost_after=3)
"""By its third event an answer has told of eight tokens."""


def test_an_answer_is_a_turn() -> None:
    meter = Meter()
    ask([ANSWER], meter=meter)
    assert meter.books == {1: Received(turns=SPENT)}


def test_a_try_that_broke_off_is_kept_apart() -> None:
    meter = Meter()
    ask([LOST, ANSWER], meter=meter, count_as_it_comes=True, pauses_s=(0.0,))
    there = meter.books[1]
    assert (there.turns, there.repeated.completion_tokens) == (SPENT, 8)


def test_an_answer_that_is_cut_off_at_its_deadline_is_a_turn() -> None:
    meter = Meter()
    slow = Scripted(text="x" * 1600, delay_s=0.05)
    reply = ask([slow], seconds=0.5, meter=meter, count_as_it_comes=True)
    assert meter.books == {1: Received(turns=reply.usage)}


def test_a_wrong_answer_is_none() -> None:
    meter = Meter()
    with pytest.raises(EngineError):
        ask([Scripted(text="x", usage=SPENT, model="other")], meter=meter, answers_as="mine")
    assert meter.books[1].turns == Usage()


def test_tokens_are_counted_as_they_come() -> None:
    meter = Meter()
    slow = Scripted(text="x" * 320, delay_s=0.1)
    asking = Thread(target=ask, args=([slow],), kwargs={"meter": meter, "count_as_it_comes": True})
    asking.start()
    time.sleep(1)
    seen, open_then = meter.received(1), meter.in_flight
    asking.join()
    assert 0 < seen < meter.received(1)
    assert open_then == 1


def test_a_reply_tells_which_incarnation_answered() -> None:
    meter = Meter()
    meter.incarnation = 3
    assert ask([ANSWER], meter=meter).incarnation == 3

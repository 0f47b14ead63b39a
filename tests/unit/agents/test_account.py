import time
from threading import Event

import pytest

from evalkit.agents.account import Account
from evalkit.config.runner import RolloutLimits
from evalkit.protocols import Message
from evalkit.types import Reply, StopReason, Usage

REPLY = Reply(
    text="hi", usage=Usage(completion_tokens=5), ttft_s=2, total_s=10, incarnation=2, lost_s=100
)


def _account(lines: list[Message], *, seconds: float = 60) -> Account:
    return Account(record=lines.append, limits=RolloutLimits(seconds=seconds), stopping=Event())


@pytest.fixture
def line() -> Message:
    """The trajectory's line of a turn that was asked for at 1000."""
    lines: list[Message] = []
    _account(lines).turn(REPLY, 1000)
    return lines[0]


@pytest.mark.parametrize(
    ("key", "value"), [("incarnation", 2), ("lost_s", 100), ("ttft_s", 2), ("itl_s", 2)]
)
def test_a_turns_line_says_who_answered_and_how_fast(line: Message, key: str, value: float) -> None:
    assert line[key] == value


def test_a_turn_begins_with_the_try_that_was_answered(line: Message) -> None:
    assert (line["t0"], line["t1"]) == (1100, 1110)


def test_the_deadline_moves_by_the_time_lost() -> None:
    account = _account([])
    before = account.deadline
    account.turn(REPLY, 0)
    assert account.deadline - before == pytest.approx(100)


def test_a_rollout_does_not_end_for_the_time_lost() -> None:
    account = _account([], seconds=5)
    account.begun = time.monotonic() - 50
    account.turn(REPLY, 0)
    assert account.stop() is None


def test_its_own_time_ends_it() -> None:
    account = _account([], seconds=5)
    account.begun = time.monotonic() - 150
    account.turn(REPLY, 0)
    assert account.stop() is StopReason.TIME_LIMIT


def test_the_models_time_is_that_of_its_answers() -> None:
    account = _account([])
    account.turn(REPLY, 0)
    assert account.timings(setup_s=0).llm_s == 10

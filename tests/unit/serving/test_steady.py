import time
from collections.abc import Sequence

import pytest

from evalkit.errors import ContextLimitError, EngineError, EngineGoneError, UnansweredError
from evalkit.protocols import Message
from evalkit.serving.steady import SteadyChat
from evalkit.types import CUT_OFF, Reply


class Told:
    """A chat that answers as told, one after the other, and keeps the deadlines it was given."""

    def __init__(self, *answers: Reply | Exception, each_s: float = 0.0) -> None:
        self._answers = iter(answers)
        self._each_s = each_s
        self.deadlines: list[float] = []

    def chat(
        self,
        messages: Sequence[Message],
        tools: Sequence[Message],
        *,
        deadline: float,
        max_tokens: int | None = None,
    ) -> Reply:
        self.deadlines.append(deadline)
        time.sleep(self._each_s)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Engine:
    """An engine whose first incarnation ends or not."""

    def __init__(self, *, ends: bool, quiet_s: float = 0.0, starts_in_s: float = 0.0) -> None:
        self._ends, self._quiet_s, self._starts_in_s = ends, quiet_s, starts_in_s
        self.asked = 0

    def ready(self) -> int:
        time.sleep(self._starts_in_s)
        self.asked += 1
        return self.asked

    def lost(self, incarnation: int) -> bool:
        return self._ends and incarnation == 1

    def quiet_s(self) -> float:
        return self._quiet_s


class Gone(Engine):
    def ready(self) -> int:
        if self.asked:
            raise EngineGoneError("for good")
        return super().ready()


HERE, LATE = Reply(text="here", finish_reason="stop"), Reply(text="la", finish_reason=CUT_OFF)
BROKE = UnansweredError("connection reset")


def ask(chat: Told, engine: Engine, deadline: float = 1e9) -> Reply:
    return SteadyChat(chat, engine).chat([], [], deadline=deadline)


def test_a_turn_that_the_engines_end_broke_off_is_asked_for_again() -> None:
    assert ask(Told(BROKE, HERE), Engine(ends=True)).text == "here"


def test_an_unanswered_turn_of_an_engine_that_lives_is_an_error() -> None:
    with pytest.raises(UnansweredError, match="connection reset"):
        ask(Told(BROKE, HERE), Engine(ends=False))


def test_what_is_wrong_with_the_request_is_not_asked_again() -> None:
    with pytest.raises(EngineError, match="bad request"):
        ask(Told(EngineError("bad request"), HERE), Engine(ends=True))


def test_a_full_context_is_not_asked_again() -> None:
    with pytest.raises(ContextLimitError):
        ask(Told(ContextLimitError("too long"), HERE), Engine(ends=True))


def test_the_time_lost_is_told() -> None:
    reply = ask(Told(BROKE, HERE, each_s=0.05), Engine(ends=True, starts_in_s=0.05))
    assert reply.lost_s == pytest.approx(0.15, abs=0.04)


def test_an_answer_at_once_lost_nothing() -> None:
    assert ask(Told(HERE), Engine(ends=False)).lost_s < 0.01


def test_the_deadline_moves_by_what_was_lost() -> None:
    chat = Told(BROKE, HERE, each_s=0.1)
    ask(chat, Engine(ends=True), deadline=1000)
    assert chat.deadlines[1] - 1000 == pytest.approx(0.1, abs=0.04)


def test_an_answer_cut_off_while_the_engine_hung_is_asked_for_again() -> None:
    assert ask(Told(LATE, HERE), Engine(ends=True, quiet_s=60)).text == "here"


def test_an_answer_cut_off_by_a_slow_engine_stays_cut_off() -> None:
    assert ask(Told(LATE, HERE), Engine(ends=True, quiet_s=1)).text == "la"


def test_an_answer_cut_off_after_a_quiet_while_of_an_engine_that_lives_stays_cut_off() -> None:
    assert ask(Told(LATE, HERE), Engine(ends=False, quiet_s=60)).text == "la"


def test_an_engine_that_is_gone_for_good_ends_the_wait() -> None:
    with pytest.raises(EngineGoneError, match="for good"):
        ask(Told(BROKE, HERE), Gone(ends=True))

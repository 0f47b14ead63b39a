from typing import Any

import numpy as np
import pytest

from evalkit.errors import ConfigError
from evalkit.reporting.compare import compare
from evalkit.reporting.gate import Answer, Decision, Limits, decide
from evalkit.reporting.side import Side
from tests.doubles.sides import side

ONE, NONE, LOST = (1, 1), (0, 1), (0, 1, 1)
BASE = side("base", [ONE] * 20 + [NONE] * 20)
SAME = side("other", [ONE] * 20 + [NONE] * 20)
BETTER = side("other", [ONE] * 30 + [NONE] * 10)
WORSE = side("other", [ONE] * 12 + [NONE] * 28)
A_LITTLE_WORSE = side("other", [ONE] * 18 + [NONE] * 22)


def gate(candidate: Side, base: Side = BASE, **limits: Any) -> Decision:
    asked = Limits(**limits)
    return decide(compare(base, [candidate], alpha=asked.alpha), asked)


@pytest.mark.parametrize(
    ("candidate", "answer", "code"),
    [
        (SAME, Answer.PASSED, 0),
        (BETTER, Answer.PASSED, 0),
        (WORSE, Answer.FAILED, 1),
        (A_LITTLE_WORSE, Answer.INCONCLUSIVE, 4),
    ],
)
def test_the_score_decides(candidate: Side, answer: Answer, code: int) -> None:
    decision = gate(candidate)
    assert (decision.answer, decision.exit_code) == (answer, code)


def test_a_significant_drop_that_is_allowed_passes() -> None:
    assert gate(WORSE, max_drop=20).answer is Answer.PASSED


def test_a_drop_of_just_what_is_allowed_passes() -> None:
    assert gate(A_LITTLE_WORSE, max_drop=5).answer is Answer.PASSED


def test_a_stricter_test_leaves_it_open() -> None:
    assert gate(WORSE, alpha=0.001).answer is Answer.INCONCLUSIVE


def test_the_test_is_one_sided() -> None:
    # Five losses without a win: 1/32 one-sided, 1/16 two-sided.
    assert gate(side("other", [ONE] * 15 + [NONE] * 25)).answer is Answer.FAILED


def test_the_reason_gives_drop_and_p() -> None:
    assert gate(WORSE).reasons == (
        "the score dropped by 20.0 points, more than 2; one-sided p = 0.0039 < 0.05 (exact McNemar)",
    )


def test_where_it_is_open_it_is_told_what_would_decide() -> None:
    found = gate(A_LITTLE_WORSE).deciding
    assert found is not None
    assert (found.tasks or 0) > 40


def test_of_several_attempts_it_is_told_how_many_would_decide() -> None:
    drawn = np.random.default_rng(3).binomial(3, 0.5, size=40).tolist()
    thrice, other = side("base", [(2, 3)] * 40), side("other", [(one, 3) for one in drawn])
    found = gate(other, thrice, alpha=0.0001).deciding
    assert found is not None
    assert (found.attempts or 0) > 3


def test_what_is_decided_takes_no_more() -> None:
    assert gate(WORSE).deciding is None


def test_of_several_attempts_the_bootstrap_decides() -> None:
    thrice = side("base", [(3, 3)] * 20 + [(0, 3)] * 20)
    other = side("other", [(2, 3)] * 20 + [(0, 3)] * 20)
    assert "(bootstrap)" in gate(other, thrice).reasons[0]


def test_a_few_lost_attempts_that_could_turn_nothing_spoil_nothing() -> None:
    assert gate(side("other", [ONE] * 25 + [NONE] * 13 + [LOST] * 2)).answer is Answer.PASSED


def test_lost_attempts_that_could_turn_the_answer_spoil_it() -> None:
    assert gate(side("other", [ONE] * 18 + [LOST] * 2 + [NONE] * 20)).answer is Answer.SPOILED


def test_lost_attempts_of_the_base_could_turn_it_too() -> None:
    base = side("base", [ONE] * 18 + [LOST] * 4 + [NONE] * 18)
    assert gate(side("other", [ONE] * 18 + [NONE] * 22), base).answer is Answer.SPOILED


def test_a_run_in_which_nothing_worked_is_no_drop_but_spoiled() -> None:
    assert gate(side("other", [LOST] * 40)).exit_code == 3


def test_lost_attempts_that_cannot_save_it_leave_it_failed() -> None:
    assert gate(side("other", [ONE] * 5 + [NONE] * 33 + [LOST] * 2)).answer is Answer.FAILED


def test_it_is_told_how_many_were_lost_and_what_could_be() -> None:
    [reason] = gate(side("other", [ONE] * 18 + [LOST] * 2 + [NONE] * 20)).reasons
    assert reason.startswith("2 lost attempts could turn the answer: inconclusive, passed")


SOME_LOST = side("other", [ONE] * 25 + [NONE] * 13 + [LOST] * 2)


@pytest.mark.parametrize(("allowed", "answer"), [(4.9, Answer.SPOILED), (5, Answer.PASSED)])
def test_more_may_not_be_lost_than_is_allowed(allowed: float, answer: Answer) -> None:
    assert gate(SOME_LOST, max_infra=allowed).answer is answer


def test_nor_by_the_base() -> None:
    assert gate(BETTER, SOME_LOST, max_infra=1).answer is Answer.SPOILED


def test_who_lost_too_much_is_named() -> None:
    [reason] = gate(SOME_LOST, max_infra=1).reasons
    assert reason == "other lost 5.0 % of its attempts, more than 1 %"


def timed(one: Side, tokens: int) -> Side:
    return one.model_copy(update={"completion_tokens": tokens, "busy_s": 10})


@pytest.mark.parametrize(("tokens", "code"), [(89, 1), (90, 0), (200, 0)])
def test_speed_may_not_fall_below_its_ratio(tokens: int, code: int) -> None:
    assert gate(timed(SAME, tokens), timed(BASE, 100), min_speed=0.9).exit_code == code


def test_the_speeds_are_told() -> None:
    reason = gate(timed(SAME, 50), timed(BASE, 100), min_speed=0.9).reasons[0]
    assert reason == "5.0 output tokens a second are 0.50 of the base's 10.0, less than 0.9"


def test_speed_is_not_looked_at_unless_asked() -> None:
    assert gate(timed(SAME, 1), timed(BASE, 100)).answer is Answer.PASSED


def test_a_slow_run_fails_whatever_was_lost() -> None:
    slow = timed(side("other", [ONE] * 18 + [LOST] * 2 + [NONE] * 20), 1)
    assert gate(slow, timed(BASE, 100), min_speed=0.9).answer is Answer.FAILED


def test_a_candidate_that_asked_nothing_of_a_model_is_spoiled() -> None:
    assert gate(SAME, timed(BASE, 100), min_speed=0.9).answer is Answer.SPOILED


def test_a_base_without_a_speed_is_wrong_usage() -> None:
    with pytest.raises(ConfigError, match="has no speed for --min-speed"):
        gate(timed(SAME, 1), min_speed=0.9)


@pytest.mark.row("I6")
def test_the_same_runs_give_the_same_answer_to_the_last_digit() -> None:
    thrice = side("base", [(2, 3), (1, 3)] * 20)
    other = side("other", [(2, 3), (1, 3), (1, 3), (1, 3)] * 10)
    first, second = (compare(thrice, [other], alpha=0.05) for _ in range(2))
    assert first.model_dump_json() == second.model_dump_json()

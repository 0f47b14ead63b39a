"""What validation concludes from outcomes."""

from pathlib import Path

import pytest

from evalkit.cli.select import Selection, select
from evalkit.cli.validate import Check, Checked, check, exit_code, write_known_bad
from evalkit.types import Outcome, Result
from tests.doubles.tasks import make_result, make_task

YES, NO, INFRA = Outcome.RESOLVED, Outcome.UNRESOLVED, Outcome.INFRA_ERROR


def result(outcome: Outcome, attempt: int = 1) -> Result:
    reason = "" if outcome is YES else "test_new\nFAILED"
    return make_result(outcome=outcome, attempt=attempt, error="no daemon", reason=reason)


def checked(gold: list[Outcome], empty: Outcome) -> Checked:
    attempts = [result(outcome, number) for number, outcome in enumerate(gold, 1)]
    (one,) = check([make_task()], attempts, [result(empty)])
    return one


CASES = [
    ([YES, YES], NO, Check.OK, 0),
    ([YES], Outcome.NO_PATCH, Check.OK, 0),
    ([NO, NO], NO, Check.GOLD_FAILS, 1),
    ([YES, NO], NO, Check.FLAKY, 1),
    ([YES, YES], YES, Check.EMPTY_PASSES, 1),
    ([YES, INFRA], NO, Check.INFRA, 3),
    ([YES, YES], INFRA, Check.INFRA, 3),
    ([NO, INFRA], NO, Check.GOLD_FAILS, 1),
]


@pytest.mark.parametrize(("gold", "empty", "found", "_code"), CASES)
def test_a_task_is_judged(gold: list[Outcome], empty: Outcome, found: Check, _code: int) -> None:
    assert checked(gold, empty).check is found


@pytest.mark.parametrize(("gold", "empty", "_found", "code"), CASES)
def test_the_exit_code_follows(
    gold: list[Outcome], empty: Outcome, _found: Check, code: int
) -> None:
    assert exit_code([checked(gold, empty)]) == code


def test_why_is_one_line_with_the_first_reason() -> None:
    assert checked([YES, NO, NO], NO).why == "gold unresolved in 2 of 3: test_new FAILED"


def test_an_infra_error_says_what_broke() -> None:
    assert checked([INFRA], NO).why == "no daemon"


def test_the_list_of_bad_tasks_is_one_that_run_excludes(tmp_path: Path) -> None:
    write_known_bad([checked([NO], NO)], tmp_path / "bad")
    kept = select([make_task(), make_task(id="fine")], Selection(exclude=tmp_path / "bad"))
    assert [task.id for task in kept] == ["fine"]


@pytest.mark.parametrize("gold", [[YES], [INFRA]])
def test_only_bad_tasks_are_listed(gold: list[Outcome], tmp_path: Path) -> None:
    write_known_bad([checked(gold, NO)], tmp_path / "bad")
    assert (tmp_path / "bad").read_text() == ""

"""The scores of a run in words."""

from typing import Any

import pytest

from evalkit.reporting.load import load_run
from evalkit.reporting.scores import scores
from evalkit.reporting.summary import summarise
from evalkit.types import Flag, Outcome
from tests.doubles.tasks import make_result
from tests.unit.reporting.conftest import WriteRun

RESOLVED = make_result(task_id="demo", outcome=Outcome.RESOLVED)
BROKEN = make_result(task_id="other", outcome=Outcome.INFRA_ERROR)
DOUBTFUL = make_result(task_id="other", flags=(Flag.EDITED_TESTS,))


def _told(write_run: WriteRun, *results: Any, **rest: Any) -> dict[str, str]:
    return dict(scores(summarise(load_run(write_run(results, **rest)))))


def test_the_score_of_everything_comes_first_with_its_interval(write_run: WriteRun) -> None:
    first, *_ = _told(write_run, RESOLVED, BROKEN).items()
    assert first == ("resolved", "50.0%, 1 of 2 (95 % interval 9.5% to 90.5%)")


def test_of_a_plain_run_there_is_no_other(write_run: WriteRun) -> None:
    assert list(_told(write_run, RESOLVED)) == ["resolved"]


@pytest.mark.parametrize(
    ("other", "rest", "name"),
    [
        (BROKEN, {}, "without infra errors"),
        (DOUBTFUL, {}, "without doubtful attempts"),
        (DOUBTFUL, {"known_bad": {"other": "corrupt"}}, "without known bad tasks"),
    ],
)
def test_a_score_that_leaves_something_out_says_what(
    other: Any, rest: dict[str, Any], name: str, write_run: WriteRun
) -> None:
    assert _told(write_run, RESOLVED, other, **rest)[name].startswith("100.0%, 1 of 1 ")


def test_a_score_with_repaired_patches_says_so(write_run: WriteRun) -> None:
    repaired = make_result(task_id="other", repaired_outcome=Outcome.RESOLVED)
    told = _told(write_run, RESOLVED, repaired, repair_newline=True)
    assert told["with newlines completed"].startswith("100.0%, 2 of 2 ")


def test_of_several_attempts_it_is_said_whether_one_or_all_resolve(write_run: WriteRun) -> None:
    told = _told(write_run, RESOLVED, RESOLVED.model_copy(update={"attempt": 2}), attempts=2)
    assert {name: told[name] for name in told if name.startswith("pass")} == {
        "pass@2": "100.0% over 1 of 2 tasks, the rest with fewer attempts",
        "pass^2": "100.0% over 1 of 2 tasks, the rest with fewer attempts",
    }

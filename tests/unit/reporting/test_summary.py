from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.reporting.load import load_run
from evalkit.reporting.run import Run
from evalkit.reporting.summary import Summary, summarise
from evalkit.types import WITHOUT_EFFECT, Flag, Outcome, Usage
from tests.doubles.tasks import make_result
from tests.unit.reporting.conftest import WriteRun

RESOLVED = make_result(task_id="demo", outcome=Outcome.RESOLVED, turns=3)
BROKEN = make_result(task_id="other", outcome=Outcome.INFRA_ERROR, turns=8)
FLAGGED = make_result(task_id="other", outcome=Outcome.RESOLVED, flags=(Flag.EDITED_TESTS,))


def _summary(write_run: WriteRun, *results: Any, **rest: Any) -> Summary:
    return summarise(load_run(write_run(results, **rest)))


def test_the_denominator_is_every_selected_task_times_its_attempts(write_run: WriteRun) -> None:
    score = _summary(write_run, RESOLVED, attempts=3).score
    assert (score.resolved, score.of) == (1, 6)


def test_the_score_has_its_interval(write_run: WriteRun) -> None:
    rate = _summary(write_run, RESOLVED).score.rate
    assert (rate.estimate, rate.low, rate.high) == pytest.approx((0.5, 0.0945, 0.9055), abs=5e-5)


def test_infra_errors_count_as_not_resolved(write_run: WriteRun) -> None:
    assert _summary(write_run, RESOLVED, BROKEN).score.of == 2


def test_the_score_is_given_with_infra_errors_left_out(write_run: WriteRun) -> None:
    score = _summary(write_run, RESOLVED, BROKEN).score_without_infra
    assert score is not None
    assert (score.resolved, score.of) == (1, 1)


def test_infra_errors_alone_leave_no_score_without_them(write_run: WriteRun) -> None:
    assert _summary(write_run, BROKEN, selected=["other"]).score_without_infra is None


def test_the_score_is_given_with_doubtful_attempts_left_out(write_run: WriteRun) -> None:
    score = _summary(write_run, RESOLVED, FLAGGED).score_without_doubtful
    assert score is not None
    assert (score.resolved, score.of) == (1, 1)


@pytest.mark.parametrize("flag", sorted(WITHOUT_EFFECT))
def test_a_deed_that_cannot_have_moved_a_verdict_leaves_no_doubt(
    write_run: WriteRun, flag: Flag
) -> None:
    futile = FLAGGED.model_copy(update={"flags": (flag,)})
    assert _summary(write_run, RESOLVED, futile).doubtful == 0


def test_one_doubtful_flag_among_others_is_enough(write_run: WriteRun) -> None:
    both = FLAGGED.model_copy(update={"flags": (Flag.EDITED_TESTS, Flag.NETWORK_ATTEMPT)})
    assert _summary(write_run, RESOLVED, both).doubtful == 1


def test_attempts_are_counted_by_flag(write_run: WriteRun) -> None:
    both = RESOLVED.model_copy(update={"flags": (Flag.EDITED_TESTS, Flag.NETWORK_ATTEMPT)})
    counts = _summary(write_run, both, FLAGGED).flags
    assert counts == {Flag.EDITED_TESTS: 2, Flag.NETWORK_ATTEMPT: 1}


def test_a_flag_leaves_the_full_score_alone(write_run: WriteRun) -> None:
    assert _summary(write_run, RESOLVED, FLAGGED).score.resolved == 2


def test_the_score_is_given_over_the_tasks_that_are_not_known_to_be_bad(
    write_run: WriteRun,
) -> None:
    bad = {"other": "corrupt"}
    score = _summary(write_run, RESOLVED, FLAGGED, known_bad=bad).score_without_known_bad
    assert score is not None
    assert (score.resolved, score.of) == (1, 1)


def test_known_bad_tasks_stay_in_the_full_score(write_run: WriteRun) -> None:
    assert _summary(write_run, RESOLVED, known_bad={"other": "corrupt"}).score.of == 2


def test_without_known_bad_tasks_there_is_no_second_score(write_run: WriteRun) -> None:
    assert _summary(write_run, RESOLVED).score_without_known_bad is None


def test_the_score_is_given_with_newlines_completed(write_run: WriteRun) -> None:
    repaired = make_result(task_id="demo", repaired_outcome=Outcome.RESOLVED)
    score = _summary(write_run, repaired, repair_newline=True).score_repaired
    assert score is not None
    assert (score.resolved, score.of) == (1, 2)


def test_a_completed_newline_leaves_the_full_score_alone(write_run: WriteRun) -> None:
    repaired = make_result(task_id="demo", repaired_outcome=Outcome.RESOLVED)
    assert _summary(write_run, repaired, repair_newline=True).score.resolved == 0


TWICE = [
    make_result(task_id=task_id, attempt=attempt, outcome=outcome)
    for task_id, outcomes in {
        "demo": (Outcome.RESOLVED, Outcome.UNRESOLVED),
        "other": (Outcome.RESOLVED, Outcome.INFRA_ERROR),
    }.items()
    for attempt, outcome in enumerate(outcomes, 1)
]


@pytest.mark.parametrize(("figure", "score"), [("pass_at_k", 1.0), ("pass_hat_k", 0.0)])
def test_of_several_attempts_it_is_told_whether_one_or_all_resolve(
    write_run: WriteRun, figure: str, score: float
) -> None:
    found = getattr(_summary(write_run, *TWICE, attempts=2), figure)
    assert (found.k, found.score, found.tasks, found.left_out) == (2, score, 1, ("other",))


def test_of_one_attempt_that_is_not_told(write_run: WriteRun) -> None:
    assert _summary(write_run, RESOLVED).pass_at_k is None


def test_attempts_without_a_result_are_counted(write_run: WriteRun) -> None:
    assert _summary(write_run, RESOLVED, attempts=2).unfinished == 3


def test_outcomes_are_counted(write_run: WriteRun) -> None:
    outcomes = _summary(write_run, RESOLVED, BROKEN).outcomes
    assert {outcome for outcome, count in outcomes.items() if count == 1} == {
        Outcome.RESOLVED,
        Outcome.INFRA_ERROR,
    }


def test_turns_are_given_as_their_median(write_run: WriteRun) -> None:
    assert _summary(write_run, RESOLVED, BROKEN).turns_median == 5.5


def test_tokens_are_summed_over_the_results(write_run: WriteRun) -> None:
    assert _summary(write_run, RESOLVED, BROKEN).usage == Usage(
        prompt_tokens=200, completion_tokens=20
    )


def test_output_speed_is_over_the_whole_run(
    write_run: WriteRun, turns: list[dict[str, Any]]
) -> None:
    assert _summary(write_run, turns=turns).output_tok_s == 5.0


def test_busy_speed_is_over_the_time_with_a_request(
    write_run: WriteRun, turns: list[dict[str, Any]]
) -> None:
    assert _summary(write_run, turns=turns).busy_tok_s == 10.0


@given(st.lists(st.sampled_from(Outcome), max_size=20), st.integers(0, 5))
def test_every_attempt_planned_is_accounted_for(outcomes: list[Outcome], missing: int) -> None:
    names = [f"task{number}" for number in range(len(outcomes) + missing + 1)]
    results = [
        make_result(task_id=name, outcome=outcome)
        for name, outcome in zip(names, outcomes, strict=False)
    ]
    summary = summarise(
        Run(
            path=".",
            manifest={},
            selected=names,
            attempts=1,
            results=results,
            samples=(),
            requests=(),
        )
    )
    assert sum(summary.outcomes.values()) + summary.unfinished == summary.score.of

"""The outcome table, one rule a test."""

from typing import Any

from evalkit.grading.judge import judge
from evalkit.types import Applied, Canary, Evidence, Fault, Outcome, TestStatus
from tests.doubles.tasks import make_task

TASK = make_task()
NEW, OLD = TASK.fail_to_pass[0], TASK.pass_to_pass[0]
ALL_PASSED = {NEW: TestStatus.PASSED, OLD: TestStatus.PASSED}


def outcome(**facts: Any) -> Outcome:
    defaults: dict[str, Any] = {
        "applied": Applied.CLEAN,
        "statuses": ALL_PASSED,
        "canary": Canary.FAILED,
    }
    return judge(TASK, Evidence(**(defaults | facts))).outcome


def test_all_required_tests_passed_is_resolved() -> None:
    assert outcome() is Outcome.RESOLVED


def test_a_failed_required_test_is_unresolved() -> None:
    assert outcome(statuses=ALL_PASSED | {NEW: TestStatus.FAILED}) is Outcome.UNRESOLVED


def test_a_skipped_required_test_is_unresolved() -> None:
    assert outcome(statuses=ALL_PASSED | {OLD: TestStatus.SKIPPED}) is Outcome.UNRESOLVED


def test_a_missing_required_test_is_unresolved() -> None:
    assert outcome(statuses={OLD: TestStatus.PASSED}) is Outcome.UNRESOLVED


def test_a_failed_test_outside_the_lists_changes_nothing() -> None:
    assert outcome(statuses=ALL_PASSED | {"other": TestStatus.FAILED}) is Outcome.RESOLVED


def test_an_empty_patch_that_leaves_tests_failing_is_no_patch() -> None:
    assert outcome(applied=Applied.EMPTY, statuses={OLD: TestStatus.PASSED}) is Outcome.NO_PATCH


def test_a_refused_patch_is_patch_rejected() -> None:
    assert outcome(applied=Applied.REJECTED, statuses={}) is Outcome.PATCH_REJECTED


def test_a_refused_patch_is_told_in_gits_words() -> None:
    evidence = Evidence(applied=Applied.REJECTED, apply_log="error: corrupt patch at line 7\n")
    assert judge(TASK, evidence).reasons[1:] == ("error: corrupt patch at line 7",)


def test_a_second_oom_is_unresolved_though_nothing_was_reported() -> None:
    assert outcome(oom=True, statuses={}) is Outcome.UNRESOLVED


def test_a_second_oom_names_the_limit() -> None:
    evidence = Evidence(applied=Applied.CLEAN, oom=True)
    assert judge(TASK, evidence).reasons == ("the tests twice needed more than 2048 MiB",)


def test_a_timeout_comes_before_the_results_seen_so_far() -> None:
    assert outcome(timed_out=True) is Outcome.TEST_TIMEOUT


def test_a_fault_comes_before_everything() -> None:
    assert outcome(timed_out=True, fault=Fault.DAEMON) is Outcome.INFRA_ERROR


def test_a_canary_that_passed_discredits_all_results() -> None:
    assert outcome(canary=Canary.PASSED) is Outcome.NO_EVIDENCE


def test_a_canary_that_is_missing_discredits_all_results() -> None:
    assert outcome(canary=Canary.MISSING) is Outcome.NO_EVIDENCE


def test_a_suite_without_a_canary_is_believed() -> None:
    assert outcome(canary=Canary.UNUSED) is Outcome.RESOLVED


def test_no_result_at_all_is_no_evidence() -> None:
    assert outcome(statuses={}) is Outcome.NO_EVIDENCE


def test_the_reasons_name_the_tests_that_did_not_pass() -> None:
    evidence = Evidence(
        applied=Applied.CLEAN, statuses={OLD: TestStatus.PASSED}, canary=Canary.FAILED
    )
    assert judge(TASK, evidence).reasons == (f"fail_to_pass: {NEW} missing",)


def test_the_tally_counts_what_passed() -> None:
    evidence = Evidence(
        applied=Applied.CLEAN, statuses={OLD: TestStatus.PASSED}, canary=Canary.FAILED
    )
    verdict = judge(TASK, evidence)
    assert (verdict.fail_to_pass.passed, verdict.pass_to_pass.passed) == (0, 1)

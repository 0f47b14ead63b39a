"""Many attempts with parts that take no time."""

import os
import signal
from itertools import count
from threading import Event

import pytest

from evalkit.errors import EngineError, SandboxError
from evalkit.types import (
    Audit,
    Finding,
    Flag,
    Outcome,
    StopReason,
    Submission,
    Task,
)
from tests.doubles.campaign import FakeParts, Solve, campaign, submit


def test_every_task_is_attempted() -> None:
    fake = FakeParts()
    campaign(fake).run()
    assert sorted(result.task_id for result in fake.stored) == ["task-0", "task-1", "task-2"]


def test_every_attempt_of_every_task_is_made() -> None:
    fake = FakeParts()
    campaign(fake, attempts=2).run()
    assert len({(result.task_id, result.attempt) for result in fake.stored}) == 6


def test_the_watcher_hears_of_turns() -> None:
    fake = FakeParts()
    campaign(fake).run()
    assert "task-1 turn 1" in fake.events


def test_an_engine_fault_is_an_infra_error_of_that_attempt_alone() -> None:
    def fails_once(task: Task, attempt: int) -> Submission:
        if task.id == "task-1":
            raise EngineError("gone")
        return submit(task, attempt)

    fake = FakeParts(solve_with=fails_once)
    campaign(fake).run()
    outcomes = {result.task_id: result.outcome for result in fake.stored}
    assert outcomes == {
        "task-0": Outcome.RESOLVED,
        "task-1": Outcome.INFRA_ERROR,
        "task-2": Outcome.RESOLVED,
    }


def test_a_fault_while_grading_is_an_infra_error() -> None:
    fake = FakeParts(collect_errors=[SandboxError("daemon gone")] * 9)
    campaign(fake).run()
    assert {result.outcome for result in fake.stored} == {Outcome.INFRA_ERROR}


def test_a_fault_is_told_in_the_result() -> None:
    fake = FakeParts(collect_errors=[SandboxError("daemon gone")] * 9)
    campaign(fake).run()
    assert {result.error for result in fake.stored} == {"daemon gone"}


def test_a_defect_stops_the_run() -> None:
    def breaks(task: Task, attempt: int) -> Submission:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        campaign(FakeParts(solve_with=breaks)).run()


def test_a_defect_tells_the_other_rollouts_to_stop() -> None:
    def breaks(task: Task, attempt: int) -> Submission:
        raise ZeroDivisionError

    stopping = Event()
    with pytest.raises(ZeroDivisionError):
        campaign(FakeParts(solve_with=breaks), stopping=stopping).run()
    assert stopping.is_set()


def test_gradings_that_wait_are_dropped_on_the_way_out() -> None:
    asked = count()

    def interrupts(task: Task, attempt: int) -> Submission:
        if next(asked) == 8:
            os.kill(os.getpid(), signal.SIGINT)  # to the process: the kernel wakes the main thread
        return submit(task, attempt)

    fake = FakeParts(collect_s=0.5, solve_with=interrupts)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest-xdist ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            campaign(fake, count=9).run()
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(fake.stored) < 9


def cut_short(stopping: Event) -> Solve:
    def solve(task: Task, attempt: int) -> Submission:
        stopping.set()
        return submit(task, attempt).model_copy(update={"stop": StopReason.INTERRUPTED})

    return solve


def test_an_interrupted_attempt_is_no_result() -> None:
    stopping = Event()
    fake = FakeParts(solve_with=cut_short(stopping))
    campaign(fake, stopping=stopping).run()
    assert fake.stored == []


def test_an_interrupted_attempt_is_told() -> None:
    stopping = Event()
    fake = FakeParts(solve_with=cut_short(stopping))
    campaign(fake, stopping=stopping).run()
    assert "interrupted" in fake.events


def test_a_rollout_that_came_to_its_end_as_the_run_was_stopped_is_kept() -> None:
    stopping = Event()

    def stops(task: Task, attempt: int) -> Submission:
        stopping.set()
        return submit(task, attempt)

    fake = FakeParts(solve_with=stops)
    campaign(fake, count=1, stopping=stopping).run()
    assert [one.submission.stop for one in fake.kept] == [StopReason.SUBMITTED]


def test_nothing_new_begins_while_the_run_is_being_stopped() -> None:
    stopping = Event()
    stopping.set()
    fake = FakeParts()
    campaign(fake, stopping=stopping).run()
    assert not [event for event in fake.events if event.endswith("rollout")]


def test_a_grading_that_broke_off_is_begun_again() -> None:
    fake = FakeParts(collect_errors=[SandboxError("daemon gone")] * 2)
    campaign(fake).run()
    assert next((one.outcome, one.retry) for one in fake.stored) == (Outcome.RESOLVED, 2)


def test_a_second_oom_of_the_grader_is_the_patchs_doing() -> None:
    fake = FakeParts(oom=True)
    campaign(fake).run()
    assert {(one.outcome, one.retry) for one in fake.stored} == {(Outcome.UNRESOLVED, 1)}


def test_a_missing_final_newline_is_completed_for_a_second_verdict() -> None:
    fake = FakeParts()
    campaign(fake, repair_newline=True).run()
    assert set(fake.collected) == {"p", "p\n"}


def test_the_second_verdict_stands_beside_the_first() -> None:
    fake = FakeParts()
    campaign(fake, repair_newline=True).run()
    assert {result.repaired_outcome for result in fake.stored} == {Outcome.RESOLVED}


def test_without_being_asked_a_patch_is_graded_as_it_is() -> None:
    fake = FakeParts()
    campaign(fake).run()
    assert set(fake.collected) == {"p"}


def test_what_an_agent_looked_for_in_git_is_flagged() -> None:
    fake = FakeParts(calls=["ls", "git log --all"])
    campaign(fake, count=1).run()
    assert [result.flags for result in fake.stored] == [(Flag.GIT_ARCHAEOLOGY,)]


def test_the_finding_behind_a_flag_is_handed_to_the_store() -> None:
    fake = FakeParts(calls=["ls", "git log --all"])
    campaign(fake, count=1).run()
    finding = Finding(flag=Flag.GIT_ARCHAEOLOGY, turn=1, excerpt="git log --all")
    assert fake.audits == [Audit(calls=2, findings=(finding,))]


def test_a_flag_leaves_the_outcome_as_it_is() -> None:
    fake = FakeParts(calls=["git log --all", "curl https://example.com"])
    campaign(fake, count=1).run()
    assert [result.outcome for result in fake.stored] == [Outcome.RESOLVED]


def test_a_rollout_that_broke_off_is_audited_too() -> None:
    def fails(task: Task, attempt: int) -> Submission:
        raise EngineError("gone")

    fake = FakeParts(calls=["git log --all"], solve_with=fails)
    campaign(fake, count=1).run()
    assert [result.flags for result in fake.ended] == [(Flag.GIT_ARCHAEOLOGY,)]


def test_an_agent_without_calls_earns_no_flag() -> None:
    fake = FakeParts()
    campaign(fake, count=1).run()
    assert fake.audits == [Audit()]


def test_gradings_that_take_longer_than_they_may_are_cut_short() -> None:
    fake = FakeParts(collect_s=0.5)
    campaign(fake, count=3, last_gradings_s=0.1).run()
    assert "cut short" in fake.events


def test_what_was_not_begun_by_then_is_left_to_be_graded_later() -> None:
    fake = FakeParts(collect_s=0.5)
    campaign(fake, count=3, last_gradings_s=0.1).run()
    assert (len(fake.kept), len(fake.stored)) == (3, 1)

"""Many attempts with parts that take no time."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Event
from typing import NoReturn

import pytest
from pydantic import JsonValue

from evalkit.attempt import Finished, Parts
from evalkit.campaign import Campaign, Plan
from evalkit.errors import EngineError, SandboxError
from evalkit.grading.judge import judge
from evalkit.protocols import Job, JobResult, Message, Sandbox
from evalkit.types import (
    Applied,
    Canary,
    Evidence,
    Outcome,
    Result,
    StopReason,
    Submission,
    Task,
    TestStatus,
    Verdict,
)
from tests.doubles.tasks import make_task

Solve = Callable[[Task, int], Submission]


def submit(task: Task, attempt: int) -> Submission:
    return Submission(task_id=task.id, attempt=attempt, patch="p", stop=StopReason.SUBMITTED)


@dataclass
class FakeParts:
    """Agent, suite, containers, store and watcher at once."""

    solve_with: Solve = submit
    tasks_: tuple[Task, ...] = ()
    collect_error: Exception | None = None
    stored: list[Result] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    name = "fake"
    revision = "1"

    def solve(
        self,
        task: Task,
        attempt: int,
        open_sandbox: Callable[[], AbstractContextManager[Sandbox]],
        record: Callable[[Message], None],
    ) -> Submission:
        record({"kind": "turn", "turn": 1})
        return self.solve_with(task, attempt)

    def tasks(self) -> Sequence[Task]:
        return self.tasks_

    def prepare(self, task: Task) -> str:
        raise NotImplementedError

    def collect(self, task: Task, patch: str, run: Callable[[Job], JobResult]) -> Evidence:
        if self.collect_error is not None:
            raise self.collect_error
        passed = dict.fromkeys((*task.fail_to_pass, *task.pass_to_pass), TestStatus.PASSED)
        return Evidence(applied=Applied.CLEAN, statuses=passed, canary=Canary.FAILED)

    def rollout(self, task: Task, attempt: int) -> NoReturn:
        raise NotImplementedError

    def run(self, job: Job) -> NoReturn:
        raise NotImplementedError

    def event(self, kind: str, **facts: JsonValue) -> None:
        self.events.append(kind)

    def trajectory(self, task_id: str, attempt: int) -> Callable[[Message], None]:
        return lambda _line: None

    def finish(
        self, result: Result, submission: Submission, evidence: Evidence, verdict: Verdict
    ) -> None:
        self.stored.append(result)

    def changed(self, task_id: str, attempt: int, state: str) -> None:
        self.events.append(f"{task_id} {state}")

    def finished(self, finished: Finished) -> None:
        self.events.append(f"{finished.result.task_id} {finished.result.outcome}")


def campaign(fake: FakeParts, *, attempts: int = 1, stopping: Event | None = None) -> Campaign:
    tasks = [make_task(id=f"task-{number}") for number in range(3)]
    plan = Plan(tasks=tasks, attempts=attempts, rollouts=2, gradings=1)
    parts = Parts(
        agent=fake,
        suite=fake,
        containers=fake,
        judge=judge,
        flag_patch=lambda _task, _patch: (),
        grading_version=1,
    )
    return Campaign(plan, parts, fake, fake, stopping or Event())


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
    fake = FakeParts(collect_error=SandboxError("daemon gone"))
    campaign(fake).run()
    assert {result.outcome for result in fake.stored} == {Outcome.INFRA_ERROR}


def test_a_fault_is_told_in_the_result() -> None:
    fake = FakeParts(collect_error=SandboxError("daemon gone"))
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


def test_an_interrupted_attempt_is_no_result() -> None:
    stopping = Event()

    def stops(task: Task, attempt: int) -> Submission:
        stopping.set()
        return submit(task, attempt)

    fake = FakeParts(solve_with=stops)
    with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever ends the run
        campaign(fake, stopping=stopping).run()
    assert fake.stored == []

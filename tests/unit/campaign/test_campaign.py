"""Many attempts with parts that take no time."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count, product
from threading import Event
from typing import NoReturn

import pytest
from pydantic import JsonValue

from evalkit.attempt import Parts
from evalkit.campaign import Campaign, Plan
from evalkit.errors import DiskFullError, EngineError, SandboxError
from evalkit.grading.audit.trajectory import audit_trajectory
from evalkit.grading.judge import judge
from evalkit.protocols import Job, JobResult, Message, Sandbox
from evalkit.types import (
    Applied,
    Audit,
    Canary,
    Evidence,
    Fault,
    Finding,
    Finished,
    Flag,
    Outcome,
    Result,
    StopReason,
    Submission,
    Task,
    TestStatus,
)
from tests.doubles.tasks import make_task

Solve = Callable[[Task, int], Submission]


def submit(task: Task, attempt: int) -> Submission:
    return Submission(task_id=task.id, attempt=attempt, patch="p", stop=StopReason.SUBMITTED)


@dataclass
class FakeParts:
    """Agent, suite, containers, store and watcher at once."""

    solve_with: Solve = submit
    calls: Sequence[str] = ()
    """Commands that each rollout gives its bash."""
    tasks_: tuple[Task, ...] = ()
    collect_errors: list[Exception] = field(default_factory=list)
    prepare_error: Exception | None = None
    release_error: Exception | None = None
    collect_s: float = 0.0
    here: int = 0
    most_here: int = 0
    prepare_s: float = 0.0
    preparing: int = 0
    most_preparing: int = 0
    oom: bool = False
    collected: list[str] = field(default_factory=list)
    stored: list[Result] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    name = "fake"
    revision = "1"
    default_runner = "fake"
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    known_bad: Mapping[str, str] = field(default_factory=dict)

    def solve(
        self,
        task: Task,
        attempt: int,
        open_sandbox: Callable[[], AbstractContextManager[Sandbox]],
        record: Callable[[Message], None],
    ) -> Submission:
        record({"kind": "turn", "turn": 1})
        for command in self.calls:
            arguments: JsonValue = {"command": command}
            record({"kind": "tool", "turn": 1, "name": "bash", "arguments": arguments})
        return self.solve_with(task, attempt)

    def tasks(self) -> Sequence[Task]:
        return self.tasks_

    def prepare(self, task: Task) -> str:
        self.events.append(f"{task.id} prepared")
        self.preparing += 1
        self.most_preparing = max(self.most_preparing, self.preparing)
        time.sleep(self.prepare_s)
        self.preparing -= 1
        self.here += 1
        self.most_here = max(self.most_here, self.here)
        if self.prepare_error is not None:
            raise self.prepare_error
        return "sha256:1"

    def release(self, task: Task) -> None:
        self.events.append(f"{task.id} released")
        self.here -= 1
        if self.release_error is not None:
            raise self.release_error

    def collect(self, task: Task, patch: str, run: Callable[[Job], JobResult]) -> Evidence:
        self.collected.append(patch)
        time.sleep(self.collect_s)
        if self.collect_errors:
            raise self.collect_errors.pop()
        if self.oom:
            return Evidence(applied=Applied.CLEAN, fault=Fault.GRADER_OOM)
        passed = dict.fromkeys((*task.fail_to_pass, *task.pass_to_pass), TestStatus.PASSED)
        return Evidence(applied=Applied.CLEAN, statuses=passed, canary=Canary.FAILED)

    def rollout(self, task: Task, attempt: int) -> NoReturn:
        raise NotImplementedError

    def run(self, job: Job) -> NoReturn:
        raise NotImplementedError

    def settle(self, image: str) -> None:
        self.events.append(f"{image} settled")

    def event(self, kind: str, **facts: JsonValue) -> None:
        self.events.append(kind)

    def trajectory(self, task_id: str, attempt: int) -> Callable[[Message], None]:
        return lambda _line: None

    def finish(self, finished: Finished) -> None:
        self.stored.append(finished.result)
        self.audits.append(finished.audit)

    def changed(self, task_id: str, attempt: int, state: str) -> None:
        self.events.append(f"{task_id} {state}")

    def finished(self, finished: Finished) -> None:
        self.events.append(f"{finished.result.task_id} {finished.result.outcome}")


def campaign(
    fake: FakeParts,
    *,
    count: int = 3,
    attempts: int = 1,
    stopping: Event | None = None,
    keep_images: bool = True,
    repair_newline: bool = False,
    pulls: int = 1,
) -> Campaign:
    tasks = [make_task(id=f"task-{number}") for number in range(count)]
    pairs = list(product(tasks, range(1, attempts + 1)))
    plan = Plan(pairs=pairs, rollouts=2, gradings=1, pulls=pulls, keep_images=keep_images)
    parts = Parts(
        agent=fake,
        suite=fake,
        containers=fake,
        judge=judge,
        flag_patch=lambda _task, _patch: (),
        audit=audit_trajectory,
        grading_version=1,
        repair_newline=repair_newline,
        retry_pauses_s=(0, 0),
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
            signal.raise_signal(signal.SIGINT)
        return submit(task, attempt)

    fake = FakeParts(collect_s=1.5, solve_with=interrupts)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest-xdist ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            campaign(fake, count=9).run()
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(fake.stored) <= 2


def test_an_interrupted_attempt_is_no_result() -> None:
    stopping = Event()

    def stops(task: Task, attempt: int) -> Submission:
        stopping.set()
        return submit(task, attempt)

    fake = FakeParts(solve_with=stops)
    with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever ends the run
        campaign(fake, stopping=stopping).run()
    assert fake.stored == []


def test_a_grading_that_broke_off_is_begun_again() -> None:
    fake = FakeParts(collect_errors=[SandboxError("daemon gone")] * 2)
    campaign(fake).run()
    assert next((one.outcome, one.retry) for one in fake.stored) == (Outcome.RESOLVED, 2)


def test_a_second_oom_of_the_grader_is_the_patchs_doing() -> None:
    fake = FakeParts(oom=True)
    campaign(fake).run()
    assert {(one.outcome, one.retry) for one in fake.stored} == {(Outcome.UNRESOLVED, 1)}


def test_an_image_that_cannot_be_had_is_an_infra_error() -> None:
    fake = FakeParts(prepare_error=DiskFullError("no space"))
    campaign(fake).run()
    assert {result.outcome for result in fake.stored} == {Outcome.INFRA_ERROR}


def test_no_model_is_asked_where_the_image_cannot_be_had() -> None:
    fake = FakeParts(prepare_error=DiskFullError("no space"))
    campaign(fake).run()
    assert "task-0 turn 1" not in fake.events


def test_an_image_is_prepared_once_for_all_attempts() -> None:
    fake = FakeParts()
    campaign(fake, attempts=3).run()
    assert fake.events.count("task-1 prepared") == 1


def test_images_stay_where_they_are_to_be_kept() -> None:
    fake = FakeParts()
    campaign(fake).run()
    assert "task-1 released" not in fake.events


def test_an_image_is_given_back_after_the_last_attempt() -> None:
    fake = FakeParts()
    campaign(fake, attempts=2, keep_images=False).run()
    released = fake.events.index("task-1 released")
    assert [event for event in fake.events[:released] if event == "task-1 resolved"] == [
        "task-1 resolved"
    ] * 2


def test_an_image_is_given_back_after_its_containers_are_gone() -> None:
    fake = FakeParts()
    campaign(fake, count=1, keep_images=False).run()
    image = make_task().image
    assert fake.events[-2:] == [f"{image} settled", "task-0 released"]


@pytest.mark.timeout(20)
def test_the_room_of_images_given_back_is_used_again() -> None:
    fake = FakeParts()
    campaign(fake, count=9, keep_images=False).run()
    assert len(fake.stored) == 9


def test_no_more_images_are_here_at_once_than_are_worked_on() -> None:
    fake = FakeParts(collect_s=0.02)
    campaign(fake, count=9, keep_images=False).run()
    assert fake.most_here <= 4  # two rollouts, one grading, one pull


def test_a_full_disk_is_told_as_such() -> None:
    fake = FakeParts(prepare_error=DiskFullError("no space"))
    campaign(fake).run()
    assert {result.reason for result in fake.stored} == {"disk: no space"}


def test_an_image_that_cannot_be_given_back_costs_no_result() -> None:
    fake = FakeParts(release_error=SandboxError("daemon gone"))
    campaign(fake, keep_images=False).run()
    assert len(fake.stored) == 3


def test_an_image_that_cannot_be_given_back_is_told() -> None:
    fake = FakeParts(release_error=SandboxError("daemon gone"))
    campaign(fake, keep_images=False).run()
    assert fake.events.count("image_kept") == 3


@pytest.mark.parametrize("pulls", [1, 2])
def test_no_more_images_are_prepared_at_once_than_planned(pulls: int) -> None:
    fake = FakeParts(prepare_s=0.05)
    campaign(fake, pulls=pulls).run()
    assert fake.most_preparing == pulls


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
    assert [result.flags for result in fake.stored] == [(Flag.GIT_ARCHAEOLOGY,)]


def test_an_agent_without_calls_earns_no_flag() -> None:
    fake = FakeParts()
    campaign(fake, count=1).run()
    assert fake.audits == [Audit()]

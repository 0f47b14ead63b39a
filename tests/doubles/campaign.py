"""All parts of a campaign at once, which take no time and do as they are told."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import product
from threading import Event
from typing import NoReturn

from pydantic import JsonValue

from evalkit.attempt import Parts
from evalkit.campaign import Boundaries, Campaign, Plan, Todo
from evalkit.grading.audit.trajectory import audit_trajectory
from evalkit.grading.judge import judge
from evalkit.protocols import Job, JobResult, Message, Sandbox
from evalkit.serving.admission import Gate
from evalkit.types import (
    Applied,
    Audit,
    Canary,
    Evidence,
    Fault,
    Finished,
    Result,
    RolledOut,
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
    prepare_errors: list[Exception] = field(default_factory=list)
    release_error: Exception | None = None
    collect_s: float = 0.0
    while_collecting: Callable[[], None] = lambda: None
    here: int = 0
    most_here: int = 0
    prepare_s: float = 0.0
    preparing: int = 0
    most_preparing: int = 0
    oom: bool = False
    unresolved: bool = False
    collected: list[str] = field(default_factory=list)
    stored: list[Result] = field(default_factory=list)
    kept: list[RolledOut] = field(default_factory=list)
    ended: list[Result] = field(default_factory=list)
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

    def task_revision(self, task: Task) -> str:
        return task.sha256

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
        if self.prepare_errors:
            raise self.prepare_errors.pop()
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
        self.while_collecting()
        if self.collect_errors:
            raise self.collect_errors.pop()
        if self.oom:
            return Evidence(applied=Applied.CLEAN, fault=Fault.GRADER_OOM)
        status = TestStatus.FAILED if self.unresolved else TestStatus.PASSED
        statuses = dict.fromkeys((*task.fail_to_pass, *task.pass_to_pass), status)
        return Evidence(applied=Applied.CLEAN, statuses=statuses, canary=Canary.FAILED)

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

    def roll_out(self, rolled: RolledOut) -> None:
        self.kept.append(rolled)

    def rolled_out(self, task_id: str, attempt: int) -> RolledOut | None:
        of = {(one.submission.task_id, one.submission.attempt): one for one in self.kept}
        return of.get((task_id, attempt))

    def finish(self, finished: Finished) -> None:
        self.stored.append(finished.result)
        self.audits.append(finished.audit)

    def changed(self, task_id: str, attempt: int, state: str) -> None:
        self.events.append(f"{task_id} {state}")

    def finished(self, finished: Finished) -> None:
        self.ended.append(finished.result)
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
    gone: bool = False,
    todo: Sequence[Todo] = (),
    checks: Mapping[str, Callable[[], str | None]] | None = None,
    last_gradings_s: float | None = None,
) -> Campaign:
    tasks = [make_task(id=f"task-{number}") for number in range(count)]
    pairs = product(tasks, range(1, attempts + 1))
    plan = Plan(
        todo=todo or [Todo(task=task, attempt=attempt) for task, attempt in pairs],
        rollouts=2,
        gradings=1,
        pulls=pulls,
        keep_images=keep_images,
        pauses_s=(0, 0),
        last_gradings_s=last_gradings_s,
        cut_short=lambda: fake.events.append("cut short"),
    )
    parts = parts_of(fake, repair_newline=repair_newline)
    stopping = stopping or Event()
    gate = Gate(plan.rollouts, stopping, fake.event)
    if gone:
        gate.close("the engine is gone")
    boundaries = Boundaries(checks or {}, gate, stopping, every_s=0.01)
    return Campaign(
        plan, parts, fake, fake, admission=gate, boundaries=boundaries, stopping=stopping
    )


def parts_of(fake: FakeParts, *, repair_newline: bool = False) -> Parts:
    return Parts(
        agent=fake,
        suite=fake,
        containers=fake,
        judge=judge,
        flag_patch=lambda _task, _patch: (),
        audit=audit_trajectory,
        grading_version=1,
        repair_newline=repair_newline,
    )

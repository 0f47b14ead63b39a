"""A campaign whose tools answer at once and whose gradings take no time: only its engine does."""

from collections.abc import Iterator
from contextlib import contextmanager

from evalkit.attempt import Parts
from evalkit.campaign import Boundaries, Campaign, Plan, Todo
from evalkit.grading.audit.trajectory import audit_trajectory
from evalkit.grading.judge import judge
from evalkit.protocols import Agent, Job, JobResult, RunStore
from evalkit.serving.admission import Gate
from evalkit.types import CommandResult, Result, Task
from tests.doubles.campaign import FakeParts

_PRINTED = "README.md\nsetup.py\nsrc/module.py\ntests/test_module.py\n" * 8
_RESULT = CommandResult(output=_PRINTED, exit_code=0)


class InstantSandbox:
    """Says the same to every command and holds the same in every file."""

    def run(self, command: str, *, timeout_s: float) -> CommandResult:
        return _RESULT

    def read_file(self, path: str) -> bytes:
        return _PRINTED.encode()

    def write_file(self, path: str, content: bytes) -> None: ...

    def patch(self) -> str:
        return ""


class InstantContainers:
    """Gives out instant sandboxes; there is nothing to grade."""

    @contextmanager
    def rollout(self, task: Task, attempt: int) -> Iterator[InstantSandbox]:
        yield InstantSandbox()

    def run(self, job: Job) -> JobResult:
        raise AssertionError(f"no job is expected, and {job.image} was to run one")

    def settle(self, image: str) -> None: ...


def run_at_once(agent: Agent, tasks: list[Task], store: RunStore, gate: Gate) -> list[Result]:
    """Let the agent try each task once, as many at once as the gate admits."""
    fake = FakeParts()
    parts = Parts(
        agent=agent,
        suite=fake,
        containers=InstantContainers(),
        judge=judge,
        flag_patch=lambda _task, _patch: (),
        audit=audit_trajectory,
        grading_version=1,
    )
    todo = [Todo(task=task, attempt=1) for task in tasks]
    plan = Plan(todo=todo, rollouts=len(tasks), gradings=1)
    with Boundaries({}, gate, gate.stopping) as boundaries:
        Campaign(
            plan,
            parts,
            store,
            fake,
            admission=gate,
            boundaries=boundaries,
            stopping=gate.stopping,
        ).run()
    return fake.ended

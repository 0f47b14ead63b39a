"""Grading of one task of quickstart, with patches made in a real sandbox."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

import pytest

from evalkit.cli.wiring import cache_folder
from evalkit.grading.judge import judge
from evalkit.protocols import Sandbox, Suite
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.daemon import connect
from evalkit.sandbox.images import Images
from evalkit.suites.registry import open_suite
from evalkit.types import Evidence, Outcome, Task
from tests.doubles.canary import Canary

Attack = Callable[..., str]
Grade = Callable[[str], Evidence]


@pytest.fixture(scope="session")
def containers() -> Iterator[DockerContainers]:
    with closing(DockerContainers(connect(), run_id="test-grading")) as opened:
        yield opened


@pytest.fixture(scope="session")
def suite() -> Suite:
    return open_suite(
        "quickstart", images=lambda: Images(connect()), say=print, cache=cache_folder()
    )


@pytest.fixture(scope="session")
def task(suite: Suite) -> Task:
    found = next(task for task in suite.tasks() if task.id == "duration-minutes")
    suite.prepare(found)
    return found


@pytest.fixture(scope="session")
def patch_of(containers: DockerContainers, task: Task, canary: Canary) -> Iterator[Attack]:
    """The patch of a rollout that appends to files, after a command.

    Without a command the rollouts are one, with its tree put back in between: that is quicker.
    """

    def make(appended: Mapping[str, str] | None = None, command: str = "") -> str:
        if not command:
            patch = _patch(shared, task, appended or {})
            shared.run("git checkout -q . && git clean -qfdx", timeout_s=30)
            return canary.absent_from(patch)
        with containers.rollout(task, 1) as sandbox:
            sandbox.run(command, timeout_s=30)
            return canary.absent_from(_patch(sandbox, task, appended or {}))

    with containers.rollout(task, 1) as shared:
        yield make


def _patch(sandbox: Sandbox, task: Task, appended: Mapping[str, str]) -> str:
    for name, text in appended.items():
        path = f"{task.workdir}/{name}"
        try:
            before = sandbox.read_file(path)
        except FileNotFoundError:
            before = b""
        sandbox.write_file(path, before + text.encode())
    return sandbox.patch()


@pytest.fixture(scope="session")
def grade(suite: Suite, containers: DockerContainers, task: Task, canary: Canary) -> Grade:
    return lambda patch: canary.absent_from(suite.collect(task, patch, containers.run))


@pytest.fixture(scope="session")
def outcome(grade: Grade, task: Task) -> Callable[[str], Outcome]:
    return lambda patch: judge(task, grade(patch)).outcome

"""An image that is missing, or another one under its name, is told before any model is asked."""

from collections.abc import Callable, Iterator
from threading import Event
from typing import TYPE_CHECKING

import pytest

from evalkit.agents.prompt import Prompt
from evalkit.agents.tools import ToolAgent
from evalkit.attempt import Parts, roll_out
from evalkit.config.runner import AgentConfig, RolloutLimits
from evalkit.grading.judge import judge
from evalkit.sandbox.containers import DockerContainers
from evalkit.types import Audit, RolledOut, Task
from tests.doubles.campaign import FakeParts
from tests.doubles.scripted_model import SUBMIT, ScriptedModel
from tests.doubles.tags import own_tag

if TYPE_CHECKING:
    from docker import APIClient

pytestmark = pytest.mark.row("F3")
WRONG = {
    "missing": "is not on this machine",
    "wrong digest": "is not on this machine",
    "of another repository": "cannot take the later history out",
    "of no repository": "cannot take the later history out",
}


@pytest.fixture(params=WRONG)
def wrong(
    request: pytest.FixtureRequest,
    client: "APIClient",
    make_task: Callable[..., Task],
    repository_image: str,
    base: str,
) -> Iterator[tuple[Task, str]]:
    """A task whose image is not what it should be, and what is to be told."""
    tag = own_tag("wrong")
    others = {"of another repository": repository_image, "of no repository": base}
    if request.param in others:
        client.tag(others[request.param], *tag.split(":"))
    image = f"{tag.partition(':')[0]}@sha256:{'0' * 64}" if "digest" in request.param else tag
    task = make_task(repository_image).model_copy(update={"image": image, "base_commit": "1" * 40})
    yield task, WRONG[request.param]
    if request.param in others:
        client.remove_image(tag)


def tried(task: Task, containers: DockerContainers, model: ScriptedModel) -> RolledOut:
    agent = ToolAgent(
        model=model,
        prompt=Prompt.load("default"),
        config=AgentConfig(),
        limits=RolloutLimits(),
        stopping=Event(),
    )
    parts = Parts(
        agent=agent,
        suite=FakeParts(),
        containers=containers,
        judge=judge,
        flag_patch=lambda _task, _patch: (),
        audit=lambda _task, _calls: Audit(),
        grading_version=1,
    )
    return roll_out(task, 1, parts, lambda _line: None, queue_s=0.0)


def test_what_is_wrong_is_told(wrong: tuple[Task, str], containers: DockerContainers) -> None:
    task, told = wrong
    detail = tried(task, containers, ScriptedModel(iter([SUBMIT]))).detail
    assert (told in detail, task.image in detail) == (True, True), detail


def test_no_model_is_asked(wrong: tuple[Task, str], containers: DockerContainers) -> None:
    model = ScriptedModel(iter([SUBMIT]))
    tried(wrong[0], containers, model)
    assert model.seen == []

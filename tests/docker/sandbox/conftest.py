from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

import pytest

from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import Task

if TYPE_CHECKING:
    from docker import APIClient


@pytest.fixture(scope="session")
def containers(client: "APIClient") -> Iterator[DockerContainers]:
    with closing(DockerContainers(client, run_id="test-sandbox")) as opened:
        yield opened


@pytest.fixture(scope="session")
def repository(repository_image: str, make_task: Callable[..., Task]) -> Task:
    return make_task(repository_image)


@pytest.fixture
def sandbox(containers: DockerContainers, repository: Task) -> Iterator[DockerSandbox]:
    with containers.rollout(repository, 1) as opened:
        yield opened


@pytest.fixture(scope="module", params=["bash", "busybox sh"])
def shared(
    request: pytest.FixtureRequest, containers: DockerContainers, make_task: Callable[..., Task]
) -> Iterator[DockerSandbox]:
    """One sandbox for a module's tests, of Debian and of an image without bash and GNU tools."""
    name = "repository_image" if request.param == "bash" else "busybox_image"
    with containers.rollout(make_task(request.getfixturevalue(name)), 1) as opened:
        yield opened


@pytest.fixture
def box(client: "APIClient", shared: DockerSandbox) -> Iterator[DockerSandbox]:
    """The shared container with shells of this test's own."""
    own = DockerSandbox(client, shared._container, shared._task, {}, nullcontext())
    with closing(own):
        yield own

"""A daemon that falls silent makes nothing time out that did not: neither tests nor a command."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from docker import APIClient

from evalkit.errors import SandboxError
from evalkit.protocols import Job
from evalkit.sandbox.containers import DockerContainers
from evalkit.types import Limits, Task
from tests.doubles.docker_proxy import DockerProxy, docker_proxy

pytestmark = [pytest.mark.row("F2"), pytest.mark.alone]


class Stalling(NamedTuple):
    proxy: DockerProxy
    containers: DockerContainers


@pytest.fixture
def stalling(tmp_path: Path) -> Iterator[Stalling]:
    with (
        docker_proxy(tmp_path) as proxy,
        closing(APIClient(base_url=proxy.host, version="auto")) as client,
        closing(DockerContainers(client, run_id="test-stalled")) as containers,
    ):
        yield Stalling(proxy, containers)
        proxy.serve()


def stall(
    proxy: DockerProxy, asked: str, seconds: float, *, drop: bool = False
) -> threading.Thread:
    """Fall silent for a while with a request; what waited is answered then, or cut."""
    before = len(proxy.asked)
    proxy.hang_at(lambda line: asked in line)

    def answer_again() -> None:
        proxy.await_request(lambda line: asked in line, after=before)
        time.sleep(seconds)
        if drop:
            proxy.drop()
        proxy.serve()

    thread = threading.Thread(target=answer_again)
    thread.start()
    return thread


@pytest.mark.parametrize("asked", ["/start", "/wait"])
def test_tests_that_end_in_time_do_not_time_out(
    stalling: Stalling, repository_image: str, asked: str
) -> None:
    """They run for a second of three, and what is asked then is answered after five."""
    limits = Limits(cpus=1, memory_mib=256, pids=64, seconds=3)
    stalled = stall(stalling.proxy, asked, seconds=5)
    job = Job(image=repository_image, script="sleep 1; exit 7", limits=limits)
    result = stalling.containers.run(job)
    stalled.join()
    assert (result.exit_code, result.timed_out) == (7, False)


def test_a_command_is_not_told_to_have_timed_out_by_who_cannot_know(
    stalling: Stalling, repository: Task
) -> None:
    with stalling.containers.rollout(repository, 1) as sandbox:
        sandbox.run("true", timeout_s=20)
        stalling.proxy.hang()
        with pytest.raises(SandboxError, match="cannot look at container"):
            sandbox.run("echo", timeout_s=1)
        stalling.proxy.serve()


def test_a_container_whose_making_was_not_answered_goes_at_the_end(
    client: APIClient, stalling: Stalling, repository: Task
) -> None:
    stalled = stall(stalling.proxy, "/containers/create", seconds=1, drop=True)
    with pytest.raises(SandboxError, match="create"), stalling.containers.rollout(repository, 1):
        pass
    stalled.join()
    made = containers_of_the_test(client)
    stalling.containers.close()
    assert (len(made), containers_of_the_test(client)) == (1, [])


def containers_of_the_test(client: APIClient) -> list[str]:
    found = client.containers(all=True, filters={"label": "evalkit.run=test-stalled"})
    return [entry["Id"] for entry in found]


def test_a_file_is_not_read_in_half(stalling: Stalling, repository: Task) -> None:
    with stalling.containers.rollout(repository, 1) as sandbox:
        sandbox.run("head -c 9000000 /dev/zero >zeros", timeout_s=20)
        dropped = threading.Thread(target=drop_in_the_midst, args=(stalling.proxy,))
        dropped.start()
        with pytest.raises(SandboxError, match="cut the connections"):
            sandbox.read_file("zeros")
        dropped.join()


def drop_in_the_midst(proxy: DockerProxy) -> None:
    time.sleep(0.02)
    proxy.drop()

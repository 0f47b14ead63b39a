"""Sandboxes under an agent, or a daemon, that breaks things."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import SandboxError
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import Limits, Task

if TYPE_CHECKING:
    from docker import APIClient


@pytest.mark.row("E2")
def test_a_full_pid_limit_ends_at_the_timeout(
    containers: DockerContainers, repository_image: str, make_task: Callable[..., Task]
) -> None:
    task = make_task(repository_image, limits=Limits(cpus=2, memory_mib=256, pids=32))
    with containers.rollout(task, 1) as sandbox:
        sandbox.run("for i in $(seq 100); do sleep 1000 & done", timeout_s=1)
        assert sandbox.run("echo works", timeout_s=20).output == "works\n"


@pytest.mark.row("E3")
def test_memory_past_the_limit_kills_the_program_and_not_the_sandbox(
    sandbox: DockerSandbox,
) -> None:
    result = sandbox.run("python3 -c 'bytearray(2**30)'", timeout_s=30)
    assert result.exit_code == 137


def test_a_broken_bin_sh_is_the_agents_trouble_and_no_fault(sandbox: DockerSandbox) -> None:
    sandbox.run("rm -f /bin/sh /bin/bash; exit", timeout_s=20)
    assert sandbox.run("echo", timeout_s=20).exit_code == 126


def test_files_can_be_read_after_the_agent_broke_every_shell(sandbox: DockerSandbox) -> None:
    sandbox.run("rm -f /bin/sh /bin/bash; exit", timeout_s=20)
    assert sandbox.read_file("/repo/text.txt") == b"one\ntwo\nthree\nfour\n"


def test_a_patch_can_be_had_after_the_agent_broke_every_shell(sandbox: DockerSandbox) -> None:
    sandbox.run("rm -f text.txt /bin/sh /bin/bash; exit", timeout_s=20)
    assert "deleted file mode 100644" in sandbox.patch()


def test_a_container_removed_from_outside_is_a_sandbox_error(
    client: "APIClient", sandbox: DockerSandbox
) -> None:
    client.remove_container(sandbox._container, force=True)
    with pytest.raises(SandboxError, match="ended"):
        sandbox.run("echo", timeout_s=20)


@pytest.mark.row("E6")
def test_a_sandbox_outlives_its_bound_by_nothing(client: "APIClient", repository: Task) -> None:
    containers = DockerContainers(client, run_id="test-sandbox", rollout_s=0)
    with (
        pytest.raises(SandboxError),
        containers.rollout(repository, 1) as sandbox,
    ):
        sandbox.run("sleep 20", timeout_s=30)


@pytest.mark.row("E6")
def test_exit_beside_a_child_that_holds_stdout_is_seen(sandbox: DockerSandbox) -> None:
    assert sandbox.run("setsid sleep 100 & exit 5", timeout_s=20).exit_code == 5

"""What a rollout's container may do, as the daemon and the container itself tell it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.errors import ImageError, SandboxError
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.lifecycle import Spec, _host_config
from evalkit.sandbox.owner import OWNER, Owner
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import Limits, Network, Task

if TYPE_CHECKING:
    from docker import APIClient


@pytest.fixture(scope="module")
def opened(containers: DockerContainers, repository: Task) -> Iterator[DockerSandbox]:
    with containers.rollout(repository, 3) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def facts(client: "APIClient", opened: DockerSandbox) -> Any:
    return client.inspect_container(opened._container)


@pytest.mark.row("A7")
def test_it_has_no_network_but_loopback(opened: DockerSandbox) -> None:
    assert opened.run("ls /sys/class/net", timeout_s=20).output == "lo\n"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_loopback_can_be_listened_on(opened: DockerSandbox, address: str) -> None:
    code = f"import socket; socket.create_server(({address!r}, 0), family=socket.AF_INET"
    code += "6)" if ":" in address else ")"
    assert opened.run(f'python3 -c "{code}"', timeout_s=20).exit_code == 0


def test_localhost_is_loopback(opened: DockerSandbox) -> None:
    code = "import socket; print(socket.gethostbyname('localhost'))"
    assert opened.run(f'python3 -c "{code}"', timeout_s=20).output == "127.0.0.1\n"


@pytest.mark.row("E12")
def test_six_capabilities_remain(opened: DockerSandbox) -> None:
    # CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7
    mask = opened.run("grep CapEff /proc/self/status", timeout_s=20).output.split()[1]
    assert int(mask, 16) == 0b11101011


@pytest.mark.row("E12")
def test_no_new_privileges_can_be_gained(opened: DockerSandbox) -> None:
    line = opened.run("grep NoNewPrivs /proc/self/status", timeout_s=20).output
    assert line.split()[1] == "1"


@pytest.mark.row("E12")
def test_system_calls_are_filtered(opened: DockerSandbox) -> None:
    line = opened.run("grep Seccomp: /proc/self/status", timeout_s=20).output
    assert line.split()[1] == "2"


@pytest.mark.row("E1")
def test_nothing_of_the_host_is_mounted(facts: Any) -> None:
    assert (facts["HostConfig"]["Binds"], facts["Mounts"]) == (None, [])


@pytest.mark.row("E3")
def test_swap_adds_nothing_to_memory(facts: Any) -> None:
    limits = facts["HostConfig"]
    assert (limits["Memory"], limits["MemorySwap"]) == (512 * 2**20, 512 * 2**20)


@pytest.mark.row("E2")
def test_processes_are_limited(facts: Any) -> None:
    assert facts["HostConfig"]["PidsLimit"] == 128


def test_shared_memory_has_a_size_whatever_the_daemons_default(client: "APIClient") -> None:
    spec = Spec(
        image="none",
        script="",
        arguments=[],
        workdir="/",
        labels={},
        limits=Limits(),
        network=Network.NONE,
        init=False,
        auto_remove=True,
        root=True,
    )
    assert _host_config(client, spec)["ShmSize"] == 64 * 2**20


@pytest.mark.row("E5")
def test_nothing_is_logged_on_the_host(facts: Any) -> None:
    assert facts["HostConfig"]["LogConfig"]["Type"] == "none"


def test_labels_name_the_attempt(facts: Any) -> None:
    labels = facts["Config"]["Labels"]
    named = [labels[f"evalkit.{key}"] for key in ("run", "task", "attempt")]
    assert named == ["test-sandbox", "test-task", "3"]


def test_a_label_names_the_owner(facts: Any) -> None:
    assert Owner.parse(facts["Config"]["Labels"][OWNER]) == Owner.here()


@pytest.mark.row("E12")
def test_the_agent_can_write_a_tree_that_another_user_owns(opened: DockerSandbox) -> None:
    command = "mkdir /tmp/o && chown -R 1234 /tmp/o && chmod 700 /tmp/o && touch /tmp/o/file"
    assert opened.run(command, timeout_s=20).exit_code == 0


def test_more_cpus_than_the_host_has_become_what_it_has(
    client: "APIClient", containers: DockerContainers
) -> None:
    assert containers.effective(Limits(cpus=4096)).cpus == client.info()["NCPU"]


def test_a_sandbox_with_more_than_the_host_has_opens(
    containers: DockerContainers, repository_image: str, make_task: Callable[..., Task]
) -> None:
    task = make_task(repository_image, limits=Limits(cpus=4096, memory_mib=2**24))
    with containers.rollout(task, 1) as sandbox:
        assert sandbox.run("true", timeout_s=20).exit_code == 0


@pytest.mark.row("E6")
def test_it_is_removed_at_the_end_of_the_block(
    client: "APIClient", containers: DockerContainers, repository: Task
) -> None:
    with containers.rollout(repository, 1) as sandbox:
        name = sandbox._container
    assert client.containers(all=True, filters={"id": name}) == []


def test_it_is_removed_where_the_block_raises(
    client: "APIClient", containers: DockerContainers, repository: Task
) -> None:
    def fail() -> None:
        with containers.rollout(repository, 1) as sandbox:
            names.append(sandbox._container)
            raise KeyboardInterrupt

    names: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        fail()
    assert client.containers(all=True, filters={"id": names[0]}) == []


def test_one_that_is_gone_already_is_no_error(
    client: "APIClient", containers: DockerContainers, repository: Task
) -> None:
    with containers.rollout(repository, 1) as sandbox:
        client.remove_container(sandbox._container, force=True)


def test_a_missing_image_is_an_image_error(
    containers: DockerContainers, make_task: Callable[..., Task]
) -> None:
    with (
        pytest.raises(ImageError, match="evalkit-test/none"),
        containers.rollout(make_task("evalkit-test/none:1"), 1),
    ):
        pass


@pytest.mark.row("E11")
def test_an_image_that_cannot_start_leaves_nothing(
    client: "APIClient", containers: DockerContainers, make_task: Callable[..., Task]
) -> None:
    empty = client.import_image_from_data(b"\0" * 10240, repository="evalkit-test/empty", tag="1")
    try:
        with (
            pytest.raises(SandboxError),
            containers.rollout(make_task("evalkit-test/empty:1"), 1),
        ):
            pass
        left = client.containers(all=True, filters={"ancestor": "evalkit-test/empty:1"})
    finally:
        client.remove_image("evalkit-test/empty:1")
    assert (bool(empty), left) == (True, [])

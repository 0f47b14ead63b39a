"""Row E12: what root in a sandbox may do and what not, tried."""

from collections.abc import Iterator

import pytest

from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import Task

pytestmark = pytest.mark.row("E12")

ALLOWED = {
    "to become another user": "su -s /bin/sh nobody -c true",
    "to give a file away": "touch /tmp/f && chown nobody /tmp/f",
    "to write another user's file": "echo x >> /tmp/f",
    "to stop another user's process": "kill $(su -s /bin/sh nobody -c 'sleep 50 >/dev/null & echo $!')",
}
DENIED = {
    "to mount": "mount -t tmpfs none /mnt",
    "to mount by bind": "mount --bind /tmp /mnt",
    "to leave by chroot": "chroot / true",
    "to make a device": "mknod /tmp/device c 1 3",
    "a mount namespace": "unshare --mount true",
    "a user namespace": "unshare --user true",
    "to set the clock": "date -s 2001-01-01",
    "to name the host": "hostname other",
    "to write the kernel's settings": "echo 1 > /proc/sys/kernel/panic",
    "to reach the kernel by SysRq": "echo h > /proc/sysrq-trigger",
    "to write to a cgroup": "echo 1 > $(find /sys/fs/cgroup -name cgroup.procs | head -n 1)",
    "to raise its priority": 'test "$(nice -n -5 nice)" = -5',
    "to read the kernel's memory": "head -c 1 /proc/kcore | grep -q .",
    "to trace what another user runs": (
        "su -s /bin/sh nobody -c 'sleep 5 & echo $!' >/tmp/pid; python3 -c 'import ctypes, sys;"
        ' sys.exit(ctypes.CDLL(None).ptrace(16, int(open("/tmp/pid").read()), 0, 0) != 0)\''
    ),
}


@pytest.fixture(scope="module")
def opened(containers: DockerContainers, repository: Task) -> Iterator[DockerSandbox]:
    with containers.rollout(repository, 1) as sandbox:
        yield sandbox


@pytest.mark.parametrize("wish", ALLOWED)
def test_root_may(opened: DockerSandbox, wish: str) -> None:
    assert opened.run(ALLOWED[wish], timeout_s=20).exit_code == 0


@pytest.mark.parametrize("wish", DENIED)
def test_root_may_not(opened: DockerSandbox, wish: str) -> None:
    assert opened.run(DENIED[wish], timeout_s=20).exit_code not in {0, 126, 127}


def test_a_setuid_program_gives_nobody_anything(opened: DockerSandbox) -> None:
    make = "cp /usr/bin/id /tmp/id && chmod 4755 /tmp/id && su -s /bin/sh nobody -c '/tmp/id -u'"
    assert opened.run(make, timeout_s=20).output == "65534\n"


def test_processes_of_another_sandbox_are_not_seen(
    opened: DockerSandbox, sandbox: DockerSandbox
) -> None:
    opened.run("sleep 4242 & sleep 0.5", timeout_s=20)
    seen = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep [4]242'"
    own, other = (box.run(seen, timeout_s=20).output for box in (opened, sandbox))
    assert (int(own) > 0, int(other)) == (True, 0)

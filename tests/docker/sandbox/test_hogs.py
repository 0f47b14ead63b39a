"""Rows E2, E3, E5 and E6: programs that take all there is, and that will not end."""

import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest

from evalkit.protocols import Job
from evalkit.sandbox.archive import place_files
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.jobs import _MAIN, SCRIPT
from evalkit.sandbox.lifecycle import Spec, container
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import Limits, Network, Task

if TYPE_CHECKING:
    from docker import APIClient

MIB = 2**20

FORKS = """python3 -c '
import os, time
made = 0
for _ in range(400):
    try:
        if os.fork() == 0:
            time.sleep(2)
            os._exit(0)
        made += 1
    except BlockingIOError:
        time.sleep(0.005)
print(made)
'"""
FLOODS = {
    "E5-no newline": "head -c 100000000 /dev/zero",
    "E5-lines": "yes | head -c 100000000",
    "E5-escapes": r"yes $(printf '\033[2J\r') | head -c 100000000",
}
UNENDING = """trap '' TERM INT HUP
setsid sh -c 'trap "" TERM; (sleep {number} &); sleep {number}' &
(setsid sleep {number} &)
sleep {number}; sleep {number}
"""


@pytest.fixture
def small(
    containers: DockerContainers, repository_image: str, make_task: Callable[..., Task]
) -> Iterator[DockerSandbox]:
    """A sandbox with little memory and few processes."""
    task = make_task(repository_image, limits=Limits(cpus=2, memory_mib=96, pids=64))
    with containers.rollout(task, 1) as opened:
        yield opened


@pytest.mark.row("E2")
def test_a_fork_bomb_gets_no_more_processes_than_the_limit(small: DockerSandbox) -> None:
    assert 0 < int(small.run(FORKS, timeout_s=30).output) < 64


@pytest.mark.row("E2")
def test_an_attempt_beside_a_fork_bomb_works_on(
    small: DockerSandbox, sandbox: DockerSandbox
) -> None:
    with ThreadPoolExecutor(1) as pool:
        bomb = pool.submit(small.run, FORKS, timeout_s=30)
        started = time.monotonic()
        result = sandbox.run("for i in $(seq 50); do (true); done; echo done", timeout_s=20)
        took = time.monotonic() - started
        bomb.result()
    assert (result.output, took < 10) == ("done\n", True)


def allocate(sandbox: DockerSandbox, mib: int) -> int | None:
    return sandbox.run(f"python3 -c 'bytearray({mib} * 2**20)'", timeout_s=30).exit_code


@pytest.mark.row("E3")
def test_what_fits_into_memory_can_be_had(small: DockerSandbox) -> None:
    assert allocate(small, 50) == 0


@pytest.mark.row("E3")
def test_past_the_limit_the_child_dies_and_the_sandbox_lives(small: DockerSandbox) -> None:
    assert (allocate(small, 200), small.run("echo on", timeout_s=20).output) == (137, "on\n")


# All folders that are memory and that the agent can write to.
HOARD = """
for folder in $(awk '$3 == "tmpfs" && $4 ~ /^rw/ {print $2}' /proc/mounts); do
    if [ -d "$folder" ] && [ -w "$folder" ]; then
        head -c 50000000 /dev/zero > "$folder/hoard"
        python3 -c 'bytearray(50 * 2**20)' 2>/dev/null || echo "$folder $?"
        rm "$folder/hoard"
    fi
done 2>/dev/null
"""


@pytest.mark.row("E3")
def test_memory_that_is_mounted_counts_as_memory(small: DockerSandbox) -> None:
    ended = dict(line.split() for line in small.run(HOARD, timeout_s=60).output.splitlines())
    assert ({"/dev", "/dev/shm"} <= set(ended), set(ended.values())) == (True, {"137"})


@pytest.mark.row("E3")
def test_shared_memory_has_a_bound_of_its_own(sandbox: DockerSandbox) -> None:
    fill = "head -c 300000000 /dev/zero > /dev/shm/hoard; stat -c %s /dev/shm/hoard"
    assert int(sandbox.run(fill, timeout_s=20).output.split()[-1]) <= 64 * MIB


@pytest.mark.parametrize("kind", FLOODS)
def test_of_a_flood_little_is_kept_in_a_sandbox(sandbox: DockerSandbox, kind: str) -> None:
    tracemalloc.start()
    result = sandbox.run(FLOODS[kind], timeout_s=60)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (result.omitted_bytes > 99_000_000, peak < 16 * MIB) == (True, True)


@pytest.mark.parametrize("kind", FLOODS)
def test_of_a_flood_little_is_kept_of_a_job(
    containers: DockerContainers, base: str, kind: str
) -> None:
    tracemalloc.start()
    result = containers.run(Job(image=base, script=FLOODS[kind], output_mib=1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(result.stdout), result.truncated, peak < 16 * MIB) == (MIB, True, True)


@pytest.fixture
def number() -> int:
    """A number of seconds by which the processes of one test are known on the whole host."""
    return random.randrange(10**6, 10**8)


def alive(number: int) -> int:
    """How many processes of the host, containers included, sleep for so long."""
    command = ["sleep", str(number)]
    return sum(found.info["cmdline"] == command for found in psutil.process_iter(["cmdline"]))


def settled(number: int) -> int:
    """The same, once they have had two seconds to go."""
    deadline = time.monotonic() + 2
    while (left := alive(number)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@pytest.mark.row("E6")
def test_of_a_sandbox_no_process_outlives_the_block(
    containers: DockerContainers, repository: Task, number: int
) -> None:
    with containers.rollout(repository, 1) as sandbox:
        sandbox.run(UNENDING.format(number=number), timeout_s=0.5)
        during = alive(number)
    assert (during > 0, settled(number)) == (True, 0)


@pytest.mark.row("E6")
def test_of_a_job_past_its_limit_no_process_is_left(
    containers: DockerContainers, base: str, number: int
) -> None:
    limits = Limits(cpus=2, memory_mib=256, pids=64, seconds=1)
    started = time.monotonic()
    job = Job(image=base, script=UNENDING.format(number=number), limits=limits)
    timed_out = containers.run(job).timed_out
    took = time.monotonic() - started
    assert (timed_out, took < 15, settled(number)) == (True, True, 0)


@pytest.mark.row("E6")
def test_a_job_whose_evalkit_died_ends_by_itself(
    client: "APIClient", base: str, number: int
) -> None:
    """As where nobody is left to stop it: made by hand, with a life of one second."""
    spec = Spec(
        image=base,
        script=_MAIN,
        arguments=["1", "0"],
        root=True,
        workdir="/",
        labels={},
        limits=Limits(cpus=2, memory_mib=256, pids=64),
        network=Network.NONE,
        init=True,
        auto_remove=False,
    )
    with container(client, spec) as name:
        place_files(client, name, {SCRIPT: UNENDING.format(number=number).encode()})
        client.start(name)
        client.wait(name, timeout=20)
        assert settled(number) == 0

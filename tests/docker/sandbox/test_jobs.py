import hashlib
import io
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.errors import ImageError
from evalkit.protocols import Job, JobResult
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.daemon import connect
from evalkit.sandbox.images import Images
from evalkit.sandbox.jobs import COLLECT_LIMIT
from evalkit.sandbox.owner import TESTS
from evalkit.types import Limits, Network
from tests.doubles.canary import Canary
from tests.doubles.tags import own_tag

if TYPE_CHECKING:
    from docker import APIClient

RunJob = Callable[..., JobResult]

NOT_REGULAR = ("folder", "pipe", "link", "host", "socket", "large", "sparse", "missing")
"""What a job may leave where a result is awaited; `host` is a link to a file of ours."""


@pytest.fixture(scope="module")
def run(containers: DockerContainers, base: str, canary: Canary) -> RunJob:
    def job(script: str, **parts: Any) -> JobResult:
        parts.setdefault("limits", Limits(cpus=2, memory_mib=256, pids=64, seconds=60))
        return canary.absent_from(containers.run(Job(image=base, script=script, **parts)))

    return job


def tree(names: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in names.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def mixed(run: RunJob) -> JobResult:
    """One job that does a little of everything."""
    return run(
        "echo out; echo err >&2; cat /in/file /in/tree/a; pwd; exit 7",
        workdir="/usr",
        files={"/in/file": b"given\n"},
        trees={"/in/tree": [tree({"a": b"unpacked\n"}), b""]},
    )


def test_the_exit_code_is_the_scripts(mixed: JobResult) -> None:
    assert (mixed.exit_code, mixed.timed_out) == (7, False)


def test_the_streams_come_apart(mixed: JobResult) -> None:
    assert (mixed.stdout[:4], mixed.stderr) == (b"out\n", b"err\n")


def test_files_and_trees_are_there_before_the_start(mixed: JobResult) -> None:
    assert b"given\nunpacked\n" in mixed.stdout


def test_files_of_any_size_arrive_whole(run: RunJob) -> None:
    content = bytes(range(256)) * 2**16
    assert run("sha256sum < /in/file", files={"/in/file": content}).stdout.split() == [
        hashlib.sha256(content).hexdigest().encode(),
        b"-",
    ]


def test_the_script_has_nothing_to_read(run: RunJob) -> None:
    assert run("readlink /proc/self/fd/0").stdout == b"/dev/null\n"


def built(images: Images, base: str, change: str) -> Iterator[str]:
    ref = f"evalkit-test/{hashlib.sha256(change.encode()).hexdigest()[:8]}:1"
    images.build(ref, f"FROM {base}\n{change}\n", {}, lambda _: None)
    yield ref
    images.remove(ref)


@pytest.fixture(scope="module")
def with_user(images: Images, base: str) -> Iterator[str]:
    yield from built(images, base, "USER nobody")


@pytest.fixture(scope="module")
def without_tar(images: Images, base: str) -> Iterator[str]:
    yield from built(images, base, "RUN rm /bin/tar")


def run_once(image: str, script: str, *, heavy: bool = False, **files: bytes) -> JobResult:
    given = {f"/in/{name}": content for name, content in files.items()}
    with closing(DockerContainers(connect(), run_id="test-jobs")) as containers:
        result = containers.run(Job(image=image, script=script, files=given, heavy=heavy))
        containers.settle(image)
    return result


def test_an_image_with_a_user_of_its_own_gets_its_files_too(with_user: str) -> None:
    result = run_once(with_user, "id -un; cat /in/file", file=b"given\n")
    assert result.stdout == b"nobody\ngiven\n"


@pytest.fixture(scope="module")
def untarred(without_tar: str) -> JobResult:
    """A job whose container ends before it has read its files."""
    return run_once(without_tar, "true", file=b"x" * 2**20)


def test_an_image_without_tar_says_so(untarred: JobResult) -> None:
    assert (untarred.exit_code, b"tar" in untarred.stderr) == (125, True)


def test_a_container_that_does_not_read_its_files_is_not_waited_for(untarred: JobResult) -> None:
    assert untarred.seconds < 20


def test_it_starts_in_the_workdir(mixed: JobResult) -> None:
    assert mixed.stdout.endswith(b"/usr\n")


def test_the_images_digest_is_told(mixed: JobResult) -> None:
    assert mixed.image_digest.startswith("sha256:")


def test_output_of_nothing_is_not_truncated(mixed: JobResult) -> None:
    assert mixed.truncated is False


def test_a_tree_leaves_the_folder_it_goes_into_as_it_is(run: RunJob) -> None:
    script = "stat -c %a /tmp; cat /tmp/a"
    assert run(script, trees={"/tmp": [tree({"a": b"x"})]}).stdout == b"1777\nx"


@pytest.fixture(scope="module")
def collected(run: RunJob, canary: Canary) -> dict[str, bytes | None]:
    script = (
        "mkdir -p /o/folder; printf 'a\\000b' >/o/regular; : >/o/empty; mkfifo /o/pipe;"
        f" ln -s /etc/shadow /o/link; ln -s {canary.path} /o/host; truncate -s {COLLECT_LIMIT + 1} /o/large;"
        " truncate -s 1T /o/sparse; python3 -c"
        """ 'import socket; socket.socket(socket.AF_UNIX).bind("/o/socket")'"""
    )
    names = ("regular", "empty", *NOT_REGULAR)
    result = run(script, collect=tuple(f"/o/{name}" for name in names))
    return {path.removeprefix("/o/"): content for path, content in result.collected.items()}


@pytest.mark.row("E8")
def test_a_regular_file_is_collected(collected: dict[str, bytes | None]) -> None:
    assert (collected["regular"], collected["empty"]) == (b"a\0b", b"")


@pytest.mark.row("E8")
@pytest.mark.parametrize("name", NOT_REGULAR)
def test_anything_else_is_collected_as_none(collected: dict[str, bytes | None], name: str) -> None:
    assert collected[name] is None


@pytest.fixture(scope="module")
def late(run: RunJob) -> JobResult:
    """A job past its limit."""
    limits = Limits(cpus=2, memory_mib=256, pids=64, seconds=1)
    return run("echo before >/f; cat /f; sleep 60", limits=limits, collect=("/f",))


@pytest.mark.row("E6")
def test_past_its_limit_a_job_is_killed(late: JobResult) -> None:
    assert (late.timed_out, late.exit_code, late.seconds < 20) == (True, None, True)


def test_what_a_killed_job_left_is_kept(late: JobResult) -> None:
    assert (late.stdout, late.collected["/f"]) == (b"before\n", b"before\n")


@pytest.mark.row("E5")
def test_of_long_output_the_beginning_is_kept(run: RunJob) -> None:
    result = run(f"echo first; head -c {2**20} /dev/zero; echo err >&2", output_mib=1)
    kept = (result.stdout[:6], len(result.stdout), result.truncated, result.stderr)
    assert kept == (b"first\n", 2**20, True, b"err\n")


@pytest.mark.row("E3")
def test_a_child_killed_for_memory_is_told(run: RunJob) -> None:
    result = run("python3 -c 'bytearray(2**30)'; exit 0")
    assert (result.oom_killed, result.exit_code) == (True, 0)


@pytest.mark.row("E3")
def test_a_program_that_only_says_killed_is_not_out_of_memory(run: RunJob) -> None:
    assert run("echo Killed; exit 137").oom_killed is False


@pytest.mark.row("E6")
def test_a_child_that_holds_the_output_does_not_delay_the_end(run: RunJob) -> None:
    started = time.monotonic()
    run("setsid sleep 100 & exit 0")
    assert time.monotonic() - started < 10


def test_a_script_that_closes_its_output_is_waited_for(run: RunJob) -> None:
    assert run("exec >&- 2>&-; sleep 0.5; exit 9").exit_code == 9


def test_the_scripts_shell_has_no_child_it_did_not_start(run: RunJob) -> None:
    script = 'sleep 9 & for s in /proc/[0-9]*/status; do grep -l "PPid:.$$\\$" $s; done; echo $!'
    found, own = run(script).stdout.decode().split()
    assert found == f"/proc/{own}/status"


@pytest.mark.row("A7")
@pytest.mark.parametrize("heavy", [True, False])
def test_without_network_there_is_loopback_alone(run: RunJob, heavy: bool) -> None:
    assert run("ls /sys/class/net", heavy=heavy).stdout == b"lo\n"


def test_the_tests_of_a_task_find_localhost(run: RunJob) -> None:
    assert run("getent hosts localhost", heavy=True).exit_code == 0


def test_where_root_does_not_see_to_it_the_daemon_does(with_user: str) -> None:
    assert run_once(with_user, "getent hosts localhost", heavy=True).exit_code == 0


@pytest.mark.row("A7")
def test_by_default_there_is_no_network(run: RunJob) -> None:
    assert run("ls /sys/class/net").stdout == b"lo\n"


def test_a_bridge_is_given_where_asked_for(run: RunJob) -> None:
    assert b"eth0" in run("ls /sys/class/net", network=Network.BRIDGE).stdout


def test_a_missing_image_is_an_image_error(containers: DockerContainers) -> None:
    with pytest.raises(ImageError, match="evalkit-test/none"):
        containers.run(Job(image="evalkit-test/none:1", script="true"))


def test_no_container_is_left_where_placing_fails(client: "APIClient", base: str) -> None:
    def broken() -> Iterator[bytes]:
        yield tree({"a": b"x"})[:512]
        raise RuntimeError("no more")

    labels = {"evalkit.test": "broken"}
    job = Job(image=base, script="true", trees={"/in": broken()}, labels=labels)
    with (
        pytest.raises(RuntimeError, match="no more"),
        closing(DockerContainers(client, run_id="test-jobs")) as containers,
    ):
        containers.run(job)
    left = client.containers(all=True, filters={"label": "evalkit.test=broken"})
    assert left == []


def test_a_settled_image_can_be_removed(images: Images, base: str) -> None:
    ref = own_tag("settled")
    images.build(ref, f"FROM {base}\nRUN touch /own\n", {}, lambda _: None)
    with closing(DockerContainers(connect(), run_id="test-jobs")) as containers:
        containers.run(Job(image=ref, script="head -c 300000000 /dev/zero > /big"))
        containers.settle(ref)
        images.remove(ref)
    assert images.digest(ref) is None


def times(client: "APIClient", base: str, *heavy: bool) -> list[tuple[float, float]]:
    """When each of some jobs began and ended that were asked for at once, one heavy at a time."""

    def one(containers: DockerContainers, *, heavy: bool) -> tuple[float, float]:
        script = "date +%s.%N; sleep 3; date +%s.%N"
        begun, ended = containers.run(Job(image=base, script=script, heavy=heavy)).stdout.split()
        return float(begun), float(ended)

    with (
        closing(DockerContainers(client, run_id="test-jobs", heavy=1)) as containers,
        ThreadPoolExecutor(len(heavy)) as pool,
    ):
        running = [pool.submit(one, containers, heavy=it) for it in heavy]
        return sorted(job.result() for job in running)


def test_of_heavy_jobs_as_many_run_at_once_as_may(client: "APIClient", base: str) -> None:
    (_, first_ended), (second_began, _) = times(client, base, True, True)
    assert first_ended <= second_began


def test_a_light_job_does_not_wait_for_a_heavy_one(client: "APIClient", base: str) -> None:
    (one_began, one_ended), (other_began, other_ended) = times(client, base, True, False)
    assert max(one_began, other_began) < min(one_ended, other_ended)


def test_tests_that_are_cut_short_have_timed_out(client: "APIClient", base: str) -> None:
    containers = DockerContainers(client, run_id="test-cut-short")
    with ThreadPoolExecutor(1) as thread:
        hung = thread.submit(containers.run, Job(image=base, script="sleep 100", heavy=True))
        while not containers._mine(TESTS):
            time.sleep(0.05)
        time.sleep(0.5)
        containers.cut_short()
        assert hung.result(20).timed_out
    containers.close()

"""Containers on a daemon whose disk is full: a fault of the disk, by the daemon's own word."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import DiskFullError, SandboxError
from evalkit.protocols import Job
from evalkit.sandbox.archive import pack, place_files
from evalkit.sandbox.daemon import connect
from evalkit.sandbox.jobs import run_job
from evalkit.sandbox.lifecycle import start
from tests.doubles.small_daemon import fill, small_daemon

if TYPE_CHECKING:
    from docker import APIClient

IMAGE = "evalkit-test/empty:1"
WORDS = "/no space left on device"


@contextmanager
def small_client(folder: Path) -> Iterator["APIClient"]:
    with pytest.MonkeyPatch.context() as patch, small_daemon(folder):
        patch.setenv("DOCKER_HOST", f"unix://{folder}/docker.sock")
        with closing(connect()) as client:
            yield client


@pytest.fixture(scope="module")
def room() -> Iterator[tuple["APIClient", str]]:
    """A daemon with room, and a container there that was not started."""
    with TemporaryDirectory(prefix="evalkit-") as folder, small_client(Path(folder)) as client:
        yield client, created(client, "/bin/true")


@pytest.fixture(scope="module")
def full() -> Iterator[tuple["APIClient", str]]:
    """The same on a disk without room."""
    with TemporaryDirectory(prefix="evalkit-") as folder, small_client(Path(folder)) as client:
        container = created(client, "/bin/true")
        fill(Path(folder))
        yield client, container


def created(client: "APIClient", command: str) -> str:
    client.import_image_from_data(pack({"etc/motd": b""}), repository=IMAGE)
    return str(client.create_container(IMAGE, [command], network_disabled=True)["Id"])


STEPS: dict[str, Callable[["APIClient", str], object]] = {
    "create a container": lambda client, _: run_job(client, Job(image=IMAGE, script=""), {}),
    "place files": lambda client, container: place_files(client, container, {"/a": b"a"}),
    "start container": start,
}


@pytest.mark.row("F4")
@pytest.mark.parametrize("step", STEPS)
def test_a_container_without_room_is_a_fault_of_the_disk(
    full: tuple["APIClient", str], step: str
) -> None:
    with pytest.raises(DiskFullError, match=rf"cannot {step}.*: no space left on device$"):
        STEPS[step](*full)


def test_a_program_called_like_a_full_disk_is_no_fault_of_the_disk(
    room: tuple["APIClient", str],
) -> None:
    client, _ = room
    with pytest.raises(SandboxError, match=WORDS) as caught:
        start(client, created(client, WORDS))
    assert not isinstance(caught.value, DiskFullError)

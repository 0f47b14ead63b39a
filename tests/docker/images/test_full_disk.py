"""Pulls and builds on a daemon whose disk is full."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from evalkit.errors import DiskFullError
from evalkit.sandbox.daemon import connect
from evalkit.sandbox.images import Images
from tests.doubles.registry import FaultProxy, fault_proxy
from tests.doubles.small_daemon import fill, small_daemon

pytestmark = pytest.mark.row("F4")


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="evalkit-") as folder:  # tmp_path is too long for sockets in it
        yield Path(folder)


@pytest.fixture
def small(
    folder: Path, registry_port: int, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Images, FaultProxy]]:
    """Images of a daemon with 16 MiB for everything, and a registry that it reaches."""
    with (
        small_daemon(folder) as listening,
        fault_proxy(registry_port, listening) as proxy,
    ):
        monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/docker.sock")
        with closing(connect()) as client:
            yield Images(client), proxy


def test_without_room_a_pull_is_a_fault_of_the_disk(small: tuple[Images, FaultProxy]) -> None:
    images, proxy = small
    big = proxy.publish("evalkit-test/big", bytes(2**25))
    with pytest.raises(DiskFullError, match=r"cannot pull .*big:1: .*no space left on device"):
        images.pull(big.ref, lambda _: None)


def test_on_a_disk_that_is_full_before_a_pull_is_a_fault_of_the_disk(
    small: tuple[Images, FaultProxy], folder: Path
) -> None:
    images, proxy = small
    ref = proxy.publish("evalkit-test/small", bytes(2**10)).ref
    fill(folder)
    with pytest.raises(DiskFullError, match=r"cannot pull .*small:1: .*no space left on device"):
        images.pull(ref, lambda _: None)


@pytest.mark.parametrize(
    "mib", [pytest.param(8, id="for a layer"), pytest.param(32, id="for what is sent")]
)
def test_without_room_a_build_is_a_fault_of_the_disk(
    small: tuple[Images, FaultProxy], mib: int
) -> None:
    images, _ = small
    with pytest.raises(DiskFullError, match=r"cannot build .*big:1: .*no space left on device"):
        images.build("big:1", "FROM scratch\nCOPY big /\n", {"big": bytes(mib * 2**20)}, print)

"""Real containers: a daemon, images made from nothing, and a check that nothing stays behind."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING

import pytest

from evalkit.sandbox.archive import export, read_regular
from evalkit.sandbox.daemon import connect, look_at_image
from evalkit.sandbox.images import Images
from evalkit.sandbox.lifecycle import remove
from evalkit.sandbox.owner import OWNER, Owner
from evalkit.types import Limits, Task
from tests.doubles.canary import Canary
from tests.doubles.registry import FaultProxy, fault_proxy, registry
from tests.doubles.tags import own_tag

if TYPE_CHECKING:
    from docker import APIClient

PACKAGES = ("git", "python3", "python3-pytest", "ca-certificates", "busybox-static")

REPOSITORY = r"""FROM {base}
RUN git init -q -b main /repo && cd /repo \
 && git config user.name dev && git config user.email dev@example.com \
 && printf 'one\ntwo\nthree\n' > text.txt && printf 'old\n' > gone.txt \
 && printf 'caf\351\n' > latin1.txt && printf '\000\001\002' > blob.bin \
 && printf '#!/bin/sh\n' > tool.sh && mkdir src && printf 'x = 1\n' > src/code.py \
 && printf 'build/\n*.log\n' > .gitignore \
 && printf 'kept though ignored\n' > kept.log \
 && git add -A && git add -f kept.log && git commit -qm first \
 && printf 'four\n' >> text.txt && git commit -qam second \
 && mkdir build && printf 'left over\n' > build/given.o && printf 'given\n' > untracked.txt
WORKDIR /repo
"""

NO_GNU = """FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /tmp /root /repo && chmod 1777 /tmp
"""


@pytest.fixture(scope="session")
def client() -> Iterator["APIClient"]:
    with closing(connect()) as api:
        yield api


@pytest.fixture(scope="session", autouse=True)
def nothing_left(client: "APIClient") -> Iterator[None]:
    """No container of this process outlives its tests."""
    yield
    left = client.containers(all=True, filters={"label": f"{OWNER}={Owner.here().label}"})
    for entry in left:
        remove(client, entry["Id"])
    assert [entry["Image"] for entry in left] == []


@pytest.fixture(scope="session")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Canary:
    """A secret of the host, outside every run folder."""
    return Canary(tmp_path_factory.mktemp("host"))


@pytest.fixture(autouse=True)
def host_untouched(
    request: pytest.FixtureRequest, canary: Canary, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Whatever a test of an attack does, the canary on the host is as it was."""
    yield
    if request.node.get_closest_marker("row"):
        assert (canary.untouched(), canary.copies(tmp_path_factory.getbasetemp())) == (True, [])


@pytest.fixture(scope="session")
def images(client: "APIClient") -> Images:
    return Images(client)


@pytest.fixture(scope="session")
def base(images: Images) -> str:
    """Debian with git, pytest and busybox; stays on the machine, for it takes a minute."""
    key = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:12]
    tag = f"evalkit/base:bookworm-{key}"
    images.ensure_base(
        ref="debian:bookworm-slim", suite="bookworm", packages=PACKAGES, tag=tag, say=print
    )
    return tag


@pytest.fixture(scope="session")
def registry_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with registry(tmp_path_factory.mktemp("registry")) as port:
        yield port


@pytest.fixture
def proxy(registry_port: int) -> Iterator[FaultProxy]:
    with fault_proxy(registry_port) as opened:
        yield opened


@pytest.fixture(scope="session")
def repository_image(client: "APIClient", images: Images, base: str) -> Iterator[str]:
    """Two commits at /repo, an ignored and an untracked file beside them."""
    tag = own_tag("repository")
    images.build(tag, REPOSITORY.format(base=base), {}, lambda _: None)
    yield tag
    client.remove_image(tag, force=True)


@pytest.fixture(scope="session")
def busybox_image(client: "APIClient", images: Images, base: str) -> Iterator[str]:
    """No bash, no GNU tool: what Alpine would be like."""
    tag = own_tag("busybox")
    images.build(tag, NO_GNU, {"busybox": _file_of(client, base, "/bin/busybox")}, lambda _: None)
    yield tag
    client.remove_image(tag, force=True)


def _file_of(client: "APIClient", image: str, path: str) -> bytes:
    import io
    import tarfile

    created = client.create_container(image, ["true"])["Id"]
    try:
        with export(client, created, path) as chunks:
            archive = io.BytesIO(b"".join(chunks))
    finally:
        remove(client, created)
    with tarfile.open(fileobj=archive) as tar:
        member = tar.extractfile(tar.getmembers()[0])
        assert member is not None
        return member.read()


@pytest.fixture(scope="session")
def make_task(client: "APIClient") -> Callable[..., Task]:
    """A task of an image, with the least a task can have: base is where main stands."""

    @cache
    def base_commit(image: str) -> str:
        if look_at_image(client, image) is None:
            return "0" * 40
        created = client.create_container(image, ["true"])["Id"]
        try:
            main = read_regular(client, created, "/repo/.git/refs/heads/main", 100)
        finally:
            remove(client, created)
        return (main or b"0" * 40).decode().strip()

    def make(image: str, limits: Limits | None = None) -> Task:
        return Task(
            id="test-task",
            suite="test",
            repo="test/test",
            language="python",
            base_commit=base_commit(image),
            problem="none",
            image=image,
            workdir="/repo",
            fail_to_pass=("a",),
            gold_patch="",
            limits=limits or Limits(cpus=2, memory_mib=512, pids=128),
        )

    return make

"""Row E11: what an image's own configuration asks for is overridden, or refused in clear words."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import SandboxError
from evalkit.protocols import Job
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.images import Images
from evalkit.sandbox.jobs import run_job
from evalkit.sandbox.layers import drop_layers
from evalkit.types import Task
from tests.doubles.tags import own_tag

if TYPE_CHECKING:
    from docker import APIClient

ImageOf = Callable[[str], AbstractContextManager[Task]]

# Each with the user that an agent should be.
ODD = {
    "E11-programs": (
        'ENTRYPOINT ["/bin/sh", "-c", "touch /ran; exit 1"]\nCMD ["exit"]\nSTOPSIGNAL SIGCONT\n'
        "HEALTHCHECK --interval=1s CMD touch /ran\nWORKDIR /proc/self/fd/7",
        "0",
    ),
    "E11-environment": (
        "ENV LD_PRELOAD=/nowhere.so BASH_ENV=/noise"
        " GIT_DIR=/nowhere GIT_DIFF_OPTS=-u0 GIT_EXTERNAL_DIFF=/nowhere",
        "0",
    ),
    "E11-user": ("USER 1234:1234", "1234"),
    "E11-volume": ("VOLUME /srv /repo/build", "0"),
}
ADDED = "\n two\n three\n four\n+five\n"
PARENT = """FROM {image}
RUN git config --system safe.directory /repo && chmod -R a+rwX /repo \\
 && echo 'echo noise; echo noise >&2; cd /' > /noise
"""


@pytest.fixture(scope="module")
def parent(client: "APIClient", images: Images, repository: Task) -> Iterator[str]:
    """An image whose repository any user may use."""
    ref = own_tag("parent")
    images.build(ref, PARENT.format(image=repository.image), {}, lambda _: None)
    yield ref
    client.remove_image(ref, force=True)


@pytest.fixture
def image_of(client: "APIClient", images: Images, parent: str, repository: Task) -> ImageOf:
    @contextmanager
    def build(lines: str) -> Iterator[Task]:
        ref = own_tag("odd")
        images.build(ref, f"FROM {parent}\n{lines}\n", {}, lambda _: None)
        try:
            yield repository.model_copy(update={"image": ref})
        finally:
            drop_layers(client, ref)
            client.remove_image(ref, force=True)

    return build


def volumes(client: "APIClient", container: str) -> set[str]:
    """The names of those that a container has."""
    return {str(mount["Name"]) for mount in client.inspect_container(container)["Mounts"]}


def existing(client: "APIClient") -> set[str]:
    return {str(volume["Name"]) for volume in client.volumes()["Volumes"] or []}


@pytest.mark.parametrize("name", ODD)
def test_the_sandbox_works_and_gives_the_patch(
    image_of: ImageOf, containers: DockerContainers, client: "APIClient", name: str
) -> None:
    lines, user = ODD[name]
    with image_of(lines) as task:
        with containers.rollout(task, 1) as sandbox:
            sandbox.run("echo five >> /repo/text.txt; sleep 1.5", timeout_s=20)
            told = sandbox.run("pwd; id -u; ls -d /repo /ran", timeout_s=20).output.splitlines()
            patch = sandbox.patch()
            mounted = volumes(client, sandbox._container)
        left = mounted & existing(client)
    facts = {"/repo", user} <= set(told), "/ran" in told, patch.endswith(ADDED), left
    assert facts == (True, False, True, set())


def test_a_user_who_is_not_root_finds_localhost(
    image_of: ImageOf, containers: DockerContainers
) -> None:
    with image_of(ODD["E11-user"][0]) as task, containers.rollout(task, 1) as sandbox:
        assert sandbox.run("getent hosts localhost", timeout_s=20).exit_code == 0


@pytest.mark.row("E11")
def test_a_job_leaves_no_volume(image_of: ImageOf, client: "APIClient") -> None:
    mounted: set[str] = set()
    with image_of(ODD["E11-volume"][0]) as task:
        job = Job(image=task.image, script="touch /srv/x")
        run_job(client, job, {}, then=lambda name, _: mounted.update(volumes(client, name)))
        left = mounted & existing(client)
    assert (len(mounted), left) == (2, set())


@pytest.mark.row("E11")
def test_a_repository_in_a_volume_is_refused(
    image_of: ImageOf, containers: DockerContainers
) -> None:
    with (
        image_of("VOLUME /repo") as task,
        pytest.raises(SandboxError, match="cannot take the later history out"),
        containers.rollout(task, 1),
    ):
        pass


@pytest.mark.row("E11", "A4")
def test_later_history_in_a_volume_is_refused(
    image_of: ImageOf, containers: DockerContainers
) -> None:
    """A layer does not hold what was done in a volume: there the clone would be as it was."""
    clone = "RUN git clone -q /repo /srv/clone && cd /srv/clone && git -c user.name=d"
    with (
        image_of(f"{clone} -c user.email=d commit -q --allow-empty -m later\nVOLUME /srv") as task,
        pytest.raises(SandboxError, match="can still be read"),
        containers.rollout(task, 1),
    ):
        pass

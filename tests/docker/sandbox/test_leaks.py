"""Row A8: nothing of one attempt is found by the next."""

from collections.abc import Iterator

import pytest

from evalkit.protocols import Job
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import Task

pytestmark = pytest.mark.row("A8")

LEAVE = """
find / \\( -path /proc -o -path /sys -o -path /repo/.git \\) -prune -o -type d -print | while read -r folder; do
    (: > "$folder/left-behind") 2>/dev/null
done
git config user.name left-behind; git checkout -qb left-behind; git commit -qam left-behind
"""
FOUND = (
    "find / -path /proc -prune -o -name left-behind -print 2>/dev/null | wc -l;"
    " git for-each-ref | grep -c left-behind"
)


@pytest.fixture(scope="module")
def first(containers: DockerContainers, repository: Task) -> Iterator[DockerSandbox]:
    with containers.rollout(repository, 1) as sandbox:
        sandbox.run(LEAVE, timeout_s=60)
        yield sandbox


def test_an_attempt_finds_what_it_left(first: DockerSandbox) -> None:
    files, refs = first.run(FOUND, timeout_s=60).output.split()
    assert (int(files) > 500, int(refs)) == (True, 1)


@pytest.mark.usefixtures("first")
def test_the_next_attempt_finds_nothing(containers: DockerContainers, repository: Task) -> None:
    with containers.rollout(repository, 2) as sandbox:
        assert sandbox.run(FOUND, timeout_s=60).output == "0\n0\n"


@pytest.mark.usefixtures("first")
def test_the_next_attempts_patch_is_empty(containers: DockerContainers, repository: Task) -> None:
    with containers.rollout(repository, 2) as sandbox:
        assert sandbox.patch() == ""


@pytest.mark.usefixtures("first")
def test_grading_finds_nothing(containers: DockerContainers, repository: Task) -> None:
    result = containers.run(Job(image=repository.image, script=f"cd /repo; {FOUND}"))
    assert result.stdout == b"0\n0\n"

"""Rows D12, E7, E8 and E10: what the host reads of a sandbox leads nowhere and runs nothing."""

import re
import time
from collections.abc import Callable, Iterator

import pytest

from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import Task
from tests.doubles.canary import Canary

EDIT = "cd /repo; echo edited >> text.txt; "


@pytest.fixture(scope="module")
def patch_of(
    containers: DockerContainers, repository: Task, canary: Canary
) -> Callable[[str], str]:
    """The patch of an edit and of a script after it."""

    def make(script: str) -> str:
        with containers.rollout(repository, 1) as sandbox:
            sandbox.run(EDIT + script, timeout_s=60)
            return canary.absent_from(sandbox.patch())

    return make


@pytest.fixture(scope="module")
def plain(patch_of: Callable[[str], str]) -> str:
    return patch_of("true")


def section(patch: str, name: str) -> str:
    """One file's part of a patch; empty where it has none."""
    parts = re.split(r"(?m)^(?=diff --git )", patch)
    return "".join(part for part in parts if part.startswith(f"diff --git a/{name} "))


PLACES = {
    "E8-link": "ln -s {canary} /tmp/odd",
    "E8-link to a link": "ln -s {canary} /tmp/first; ln -s /tmp/first /tmp/odd",
    "E8-link to a folder above": "ln -s / /tmp/root; ln -s /tmp/root{canary} /tmp/odd",
    "E8-own root": "ln -s /proc/1/root{canary} /tmp/odd",
    "E8-pipe": "mkfifo /tmp/odd",
    "E8-device": "ln -s /dev/null /tmp/odd",
    "E8-socket": "python3 -c 'import socket; socket.socket(1).bind(\"/tmp/odd\")'",
    "E8-sparse": "truncate -s 1T /tmp/odd",
}


@pytest.fixture(scope="module")
def opened(containers: DockerContainers, repository: Task) -> Iterator[DockerSandbox]:
    with containers.rollout(repository, 1) as sandbox:
        yield sandbox


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_file_of_the_sandbox_is_refused_at_once(
    opened: DockerSandbox, canary: Canary, place: str
) -> None:
    opened.run("rm -rf /tmp/*; " + PLACES[place].format(canary=canary.path), timeout_s=20)
    started = time.monotonic()
    with pytest.raises(OSError, match="/tmp/odd"):
        opened.read_file("/tmp/odd")
    assert time.monotonic() - started < 5


@pytest.mark.row("E8")
def test_a_file_behind_a_link_inside_the_sandbox_is_read(opened: DockerSandbox) -> None:
    opened.run("rm -rf /tmp/*; ln -s /repo/text.txt /tmp/odd", timeout_s=20)
    assert opened.read_file("/tmp/odd").startswith(b"one\n")


@pytest.mark.row("E8")
def test_writing_through_a_link_stays_in_the_sandbox(
    sandbox: DockerSandbox, canary: Canary
) -> None:
    sandbox.run(f"mkdir -p {canary.path.parent}; ln -sf {canary.path} /tmp/out", timeout_s=20)
    sandbox.write_file("/tmp/out", b"written")
    assert sandbox.read_file(str(canary.path)) == b"written"


@pytest.mark.row("E8")
def test_a_link_in_the_tree_is_captured_as_a_link(
    patch_of: Callable[[str], str], canary: Canary
) -> None:
    patch = patch_of(f"ln -s {canary.path} leak; ln -s {canary.path.parent} folder")
    assert section(patch, "leak").endswith(f"+{canary.path}\n\\ No newline at end of file\n")


# What git would run on the host, were it asked about this tree there.
SETTINGS = """
for name in core.fsmonitor core.pager core.editor core.sshCommand diff.external filter.x.clean \\
    filter.x.smudge filter.x.process diff.x.command diff.x.textconv credential.helper; do
    git config $name 'touch {ran}'
done
git config core.hooksPath /repo/hooks
mkdir hooks; for name in pre-commit post-index-change post-checkout; do
    printf '#!/bin/sh\\ntouch {ran}\\n' > hooks/$name; chmod +x hooks/$name
done
"""


@pytest.mark.row("E10")
def test_settings_and_hooks_of_the_tree_run_nothing(
    patch_of: Callable[[str], str], plain: str, canary: Canary
) -> None:
    """On the host the file would appear beside the canary; in the tree it would be in the patch."""
    script = SETTINGS.format(ran=f"{canary.path.parent}/ran /repo/ran")
    patch = patch_of(f"{script} rm -rf hooks; echo '*.txt filter=x diff=x' > .git/info/attributes")
    assert patch == plain


@pytest.mark.row("D12")
def test_of_a_mode_only_the_executable_bit_is_captured(patch_of: Callable[[str], str]) -> None:
    modes = {"src/code.py": "4755", "gone.txt": "2755", "blob.bin": "1755", "latin1.txt": "6777"}
    patch = patch_of("; ".join(f"chmod {mode} {name}" for name, mode in modes.items()))
    told = [section(patch, name).partition("\n")[2] for name in modes]
    assert told == ["old mode 100644\nnew mode 100755\n"] * len(modes)


@pytest.mark.row("D12")
def test_devices_and_sockets_are_not_captured(patch_of: Callable[[str], str], plain: str) -> None:
    script = (
        "mknod device c 1 3; mkfifo pipe;"
        " python3 -c 'import socket; socket.socket(1).bind(\"socket\")'"
    )
    assert patch_of(script) == plain


@pytest.mark.row("D12")
def test_a_hard_link_to_a_file_outside_the_tree_is_a_file_of_its_own(
    patch_of: Callable[[str], str],
) -> None:
    patch = patch_of("echo secret > /srv/outside; ln /srv/outside hard; ln hard harder")
    assert section(patch, "harder").endswith("@@ -0,0 +1 @@\n+secret\n")


# Two files that a daemon writes in turn, and much between them in the order of the export.
COUNT = """
head -c 60000000 /dev/urandom > build/between
(setsid sh -c 'while :; do echo >> a.count; echo >> z.count; done' &) >/dev/null
sleep 0.3
"""


@pytest.mark.row("E7")
def test_a_tree_that_a_daemon_changes_is_captured_at_one_instant(
    patch_of: Callable[[str], str],
) -> None:
    patch = patch_of(COUNT)
    first, last = (section(patch, f"{name}.count").count("\n+") for name in "az")
    assert (last > 1, abs(first - last) <= 1) == (True, True)

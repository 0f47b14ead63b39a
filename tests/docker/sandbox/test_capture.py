"""The patch: tree against tree, whatever the agent did to git."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import SandboxError
from evalkit.protocols import Job
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import Task
from tests.doubles.canary import Canary
from tests.doubles.tags import own_tag

if TYPE_CHECKING:
    from docker import APIClient

    from evalkit.sandbox.images import Images

PatchOf = Callable[[str], str]

CHANGES = r"""
cd /repo
printf 'five\n' >> text.txt
rm gone.txt
printf '\000\003\004' > blob.bin
printf 'caf\351 noir\n' > latin1.txt
chmod 755 src/code.py
ln -s ../text.txt src/link
: > src/empty
mkdir "it's new" && printf 'x\n' > "it's new/a b"
printf 'x\n' > 'two
lines'
printf 'x\n' > 'quo"te' && printf 'tab\n' > 'a	tab' && printf 'x\n' > ünï
printf 'x\n' > "$(printf 'lat\351in')" && printf 'x\n' > .wh.name && printf 'x\n' > 'back\slash'
printf 'no newline' > src/unfinished && printf 'dos\r\nline\r\n' > src/dos
printf 'snow \342\230\203\n' > src/unicode
ln src/unicode src/hardlink
printf 'more\n' >> kept.log
mkdir -p build && printf 'new\n' > build/new.o && printf 'log\n' > new.log
mkfifo src/pipe
"""

TREE = (
    "cd /repo && cp .git/index /tmp/index && export GIT_INDEX_FILE=/tmp/index"
    " && git -c core.quotePath=true add -A && git write-tree"
)


@pytest.fixture(scope="module")
def patch_of(containers: DockerContainers, repository: Task, canary: Canary) -> PatchOf:
    """The patch after a script ran in a sandbox."""

    def make(script: str) -> str:
        with containers.rollout(repository, 1) as sandbox:
            sandbox.run(script, timeout_s=60)
            return canary.absent_from(sandbox.patch())

    return make


@pytest.fixture(scope="module")
def patch(patch_of: PatchOf) -> str:
    return patch_of(CHANGES)


def section(patch: str, name: str) -> str:
    """One file's part of a patch."""
    parts = re.split(r"(?m)^(?=diff --git )", patch)
    return "".join(part for part in parts if part.splitlines()[:1][0:1] and name in part[:200])


def test_applied_to_the_given_tree_it_gives_the_sandboxs_tree(
    containers: DockerContainers, repository: Task, patch: str
) -> None:
    with containers.rollout(repository, 1) as sandbox:
        sandbox.run(CHANGES, timeout_s=60)
        expected = sandbox.run(TREE, timeout_s=60).output
    job = Job(
        image=repository.image,
        script=f"cd /repo && git apply --whitespace=nowarn /p && {{ {TREE}; }}",
        files={"/p": patch.encode()},
    )
    result = containers.run(job)
    assert (result.stderr, result.stdout.decode()) == (b"", expected)


def test_a_changed_line_is_there(patch: str) -> None:
    assert "\n four\n+five\n" in section(patch, "text.txt")


def test_a_deleted_file_is_there(patch: str) -> None:
    assert "deleted file mode 100644" in section(patch, "gone.txt")


def test_a_binary_file_is_a_binary_section(patch: str) -> None:
    assert "GIT binary patch" in section(patch, "blob.bin")


def test_a_file_that_is_not_utf8_is_a_binary_section(patch: str) -> None:
    assert "GIT binary patch" in section(patch, "latin1.txt")


def test_a_file_of_utf8_stays_text_beside_one_that_is_not(patch: str) -> None:
    assert "+snow \u2603\n" in section(patch, "src/unicode")


def test_a_changed_mode_is_there(patch: str) -> None:
    assert "old mode 100644\nnew mode 100755\n" in section(patch, "src/code.py")


def test_a_symlink_is_there(patch: str) -> None:
    assert "new file mode 120000" in section(patch, "src/link")


def test_an_empty_file_is_there(patch: str) -> None:
    assert "new file mode 100644" in section(patch, "src/empty")


@pytest.mark.row("D10")
def test_a_tracked_file_is_there_though_ignored(patch: str) -> None:
    assert "+more\n" in section(patch, "kept.log")


@pytest.mark.row("D10")
@pytest.mark.parametrize("name", ["build/new.o", "new.log", "build/given.o"])
def test_build_leftovers_are_not(patch: str, name: str) -> None:
    assert name not in patch


def test_an_untracked_file_of_the_image_is_not(patch: str) -> None:
    assert "untracked.txt" not in patch


def test_names_beyond_ascii_are_quoted(patch: str) -> None:
    assert patch.isascii() is False
    assert r'"a/lat\351in"' in patch


def test_nothing_changed_is_an_empty_patch(sandbox: DockerSandbox) -> None:
    assert sandbox.patch() == ""


def test_the_sandbox_works_on_after_a_patch(sandbox: DockerSandbox) -> None:
    sandbox.patch()
    assert sandbox.run("echo on", timeout_s=20).output == "on\n"


EDIT = "cd /repo; echo edited >> text.txt; "


@pytest.fixture(scope="module")
def plain(patch_of: PatchOf) -> str:
    """The patch of one edit and nothing else."""
    return patch_of(EDIT)


TRICKS = {
    "D10-commits and branches": (
        "git commit -qam done; git checkout -q HEAD^^; git checkout -q main; git checkout -qb other"
    ),
    "D10-a stash": "cp text.txt /tmp; git stash -q; cp /tmp/text.txt .",
    "D10-index flags and excludes": (
        "git update-index --assume-unchanged text.txt; git update-index --skip-worktree gone.txt;"
        " git worktree add -q /tmp/w; echo text.txt > .git/info/exclude"
    ),
    "D10-a new repository": "rm -rf .git; git init -q; git add -A; git commit -qm mine",
    "D10-a broken repository": "rm .git/HEAD; ln -s /etc/passwd .git/HEAD",
    "E10-configuration": (
        "printf '#!/bin/sh\\ntouch /repo/ran' > /tmp/m; chmod +x /tmp/m;"
        " for n in core.fsmonitor diff.external core.hooksPath; do git config $n /tmp/m; done;"
        " git config core.fileMode false; git config core.autocrlf true;"
        " git config diff.noprefix true; git config --system core.attributesFile /tmp/a;"
        " echo '* -diff' > /tmp/a; export GIT_DIR=/nowhere GIT_WORK_TREE=/"
    ),
    "E10-things git cannot hold": (
        "git init -q src; mkdir -p src/deep; echo x > src/deep/.git; echo x > .GIT; mkfifo src/pipe"
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_done_to_git_changes_the_patch(patch_of: PatchOf, plain: str, trick: str) -> None:
    assert patch_of(EDIT + TRICKS[trick]) == plain


@pytest.mark.row("E10")
def test_attributes_of_the_tree_change_only_their_own_file(patch_of: PatchOf, plain: str) -> None:
    line = "* binary -diff text eol=crlf filter=x ident working-tree-encoding=UTF-16"
    patch = patch_of(f"{EDIT}echo '{line}' > .gitattributes")
    assert patch.removeprefix(section(patch, ".gitattributes")) == plain


@pytest.mark.row("D10")
def test_new_ignore_rules_count(patch_of: PatchOf) -> None:
    patch = patch_of("cd /repo; echo '*.tmp' >> .gitignore; echo x > a.tmp")
    assert "a.tmp" not in section(patch, "a.tmp")


@pytest.mark.row("D10")
def test_a_new_file_that_the_agent_excluded_is_there(patch_of: PatchOf) -> None:
    patch = patch_of("cd /repo; echo a.new > .git/info/exclude; echo x > a.new")
    assert section(patch, "a.new").endswith("@@ -0,0 +1 @@\n+x\n")


def test_a_repository_inside_is_plain_files(patch_of: PatchOf) -> None:
    patch = patch_of("cd /repo; git init -q sub; echo x > sub/file; git -C sub add file")
    assert "diff --git a/sub/file b/sub/file\nnew file mode 100644\n" in patch


@pytest.mark.row("D12")
def test_a_tracked_file_replaced_by_a_pipe_is_deleted(patch_of: PatchOf) -> None:
    patch = patch_of("cd /repo; rm text.txt; mkfifo text.txt")
    assert "deleted file mode 100644" in section(patch, "text.txt")


def test_a_removed_workdir_deletes_every_file(patch_of: PatchOf) -> None:
    assert patch_of("cd /; rm -rf /repo").count("deleted file mode") == 9


def test_an_edit_with_the_old_size_and_time_is_seen(patch_of: PatchOf) -> None:
    patch = patch_of(
        "cd /repo; touch -r text.txt /tmp/t; sed -i s/one/uno/ text.txt; touch -r /tmp/t text.txt"
    )
    assert "-one\n+uno\n" in patch


@pytest.mark.row("E7")
def test_a_process_that_writes_meanwhile_does_no_harm(patch_of: PatchOf) -> None:
    writing = "(while :; do echo x >> src/growing; sleep 0.001; done) &"
    patch = patch_of(f"cd /repo; {writing} until test -e src/growing; do sleep 0.01; done")
    assert "src/growing" in patch


@pytest.mark.row("E8")
def test_a_link_out_of_the_tree_is_a_link(patch_of: PatchOf) -> None:
    patch = patch_of("cd /repo; ln -s /etc out")
    assert section(patch, "a/out").endswith("+/etc\n\\ No newline at end of file\n")


def test_a_link_whose_target_is_not_utf8_is_still_text(patch_of: PatchOf) -> None:
    patch = patch_of("cd /repo; ln -s \"$(printf 'x\\351')\" out")
    assert "+x\ufffd\n" in patch


@pytest.mark.row("E5")
def test_past_the_cap_the_beginning_comes_back(patch_of: PatchOf) -> None:
    patch = patch_of("cd /repo; seq 1 2400000 > large")
    assert len(patch) == 16 * 2**20


def test_an_image_without_git_is_a_sandbox_error(
    containers: DockerContainers, busybox_image: str, make_task: Callable[..., Task]
) -> None:
    with (
        containers.rollout(make_task(busybox_image), 1) as sandbox,
        pytest.raises(SandboxError, match="no git in the image"),
    ):
        sandbox.patch()


SUBMODULE = """FROM {image}
RUN git init -q /tmp/s && cd /tmp/s && echo inner > inner && git add . \
 && git -c user.name=d -c user.email=d@e commit -qm s && cd /repo \
 && git -c protocol.file.allow=always submodule add -q /tmp/s sub && git commit -qam sub
"""


@pytest.fixture
def with_submodule(client: "APIClient", images: "Images", repository_image: str) -> Iterator[str]:
    tag = own_tag("submodule")
    images.build(tag, SUBMODULE.format(image=repository_image), {}, lambda _: None)
    yield tag
    client.remove_image(tag, force=True)


def test_a_submodule_is_left_out(
    containers: DockerContainers, with_submodule: str, make_task: Callable[..., Task], plain: str
) -> None:
    with containers.rollout(make_task(with_submodule), 1) as sandbox:
        sandbox.run(EDIT + "echo x > sub/inner; echo x > sub/new", timeout_s=20)
        assert sandbox.patch() == plain

"""What a repository became later cannot be read in a rollout's sandbox."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import SandboxError
from evalkit.protocols import Job
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.images import Images
from evalkit.sandbox.layers import PARENT, Layers, _script
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import Task
from tests.doubles.tags import own_tag

if TYPE_CHECKING:
    from docker import APIClient

# Each way leaves a secret of its own, as a commit on top of base or as a blob, and notes its name.
PLANT = r"""FROM {image}
RUN cd /repo && git config user.name dev && git config user.email dev@example.com \
 && future() {{ git checkout -q --detach main && echo "fix $1" > fix.txt && git add fix.txt \
      && git commit -qm "fix $1" && git rev-parse HEAD:fix.txt > /planted.$1; }} \
 && future branch && git branch later \
 && future tag && git tag -a -m v2 v2 \
 && future remote && git update-ref refs/remotes/origin/dev HEAD \
      && git remote add origin https://example.com/x.git \
 && future notes && git update-ref refs/notes/commits HEAD \
 && future reflog && future orig_head && git update-ref ORIG_HEAD HEAD \
 && future fetch_head && git rev-parse HEAD > .git/FETCH_HEAD \
 && future replace && git replace main HEAD \
 && export GIT_AUTHOR_DATE=2001-01-01T00:00:00Z GIT_COMMITTER_DATE=2001-01-01T00:00:00Z \
 && future old && git tag old && unset GIT_AUTHOR_DATE GIT_COMMITTER_DATE \
 && git checkout -q main && echo 'fix stash' >> text.txt && git rev-parse "$(git stash create):text.txt" > /planted.stash \
 && git checkout -q text.txt \
 && git hash-object -w --stdin < /planted.branch > /planted.loose \
 && git clone -q /repo /srv/clone && cd /srv/clone && echo 'fix clone' > fix.txt && git add fix.txt \
 && git -c user.name=d -c user.email=d@e commit -qm clone && git rev-parse HEAD:fix.txt > /planted.clone \
 && cp /planted.clone /planted.alternates && cd /repo \
 && mkdir -p vendor && git clone -q /srv/clone vendor/nested && cp /planted.clone /planted.nested \
 && git worktree add -q --detach /srv/worktree later && cp /planted.branch /planted.worktree \
 && git repack -qad && touch "$(echo .git/objects/pack/pack-*.pack | sed 's/pack$/keep/')" \
 && cp /planted.tag /planted.keep \
 && mkdir -p .git/modules/sub && cp -r /srv/clone/.git/. .git/modules/sub/ && cp /planted.clone /planted.submodule \
 && echo /srv/clone/.git/objects > .git/objects/info/alternates
"""
WAYS = ("A1-branch", "A1-tag", "A1-remote", "A1-replace", "A2-loose", "A3-old", "A4-notes",
        "A4-reflog", "A4-orig_head", "A4-fetch_head", "A4-stash", "A4-clone", "A4-alternates",
        "A4-nested", "A4-worktree", "A4-keep", "A4-submodule")  # fmt: skip


@pytest.fixture(scope="module")
def planted(
    images: Images, client: "APIClient", repository_image: str, make_task: Callable[..., Task]
) -> Iterator[Task]:
    tag = own_tag("planted")
    task = make_task(repository_image)
    images.build(tag, PLANT.format(image=repository_image), {}, lambda _: None)
    yield task.model_copy(update={"image": tag})
    client.remove_image(tag, force=True)


@pytest.fixture(scope="module")
def clean(containers: DockerContainers, planted: Task) -> Iterator[DockerSandbox]:
    with containers.rollout(planted, 1) as sandbox:
        yield sandbox


def readable(way: str) -> str:
    """A command that fails unless what was planted can be read, wherever it is looked for."""
    name = way.partition("-")[2]
    stores = "/repo/.git /srv/clone/.git /repo/vendor/nested/.git /repo/.git/modules/sub"
    return (
        f'for store in {stores}; do git --git-dir=$store cat-file -p "$(cat /planted.{name})"'
        " 2>/dev/null && exit 0; done; exit 1"
    )


@pytest.mark.parametrize("way", WAYS)
def test_what_was_planted_can_be_read_in_the_image(
    containers: DockerContainers, planted: Task, way: str
) -> None:
    assert containers.run(Job(image=planted.image, script=readable(way))).exit_code == 0


@pytest.mark.parametrize("way", WAYS)
def test_nothing_planted_can_be_read_in_the_sandbox(clean: DockerSandbox, way: str) -> None:
    assert clean.run(f"({readable(way)})", timeout_s=20).exit_code == 1


@pytest.mark.row("A1", "A4")
@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("git log --format=%s", "second\nfirst\n"),
        ("git log --all --reflog --format=%s", "second\nfirst\n"),
        ("git blame -s text.txt | cut -c 1", "^"),
        ("git status --short", "?? fix.txt\n?? untracked.txt\n?? vendor/\n"),
        ("git symbolic-ref HEAD", "refs/heads/main\n"),
        ("git remote", ""),
        ("git stash list", ""),
        ("git worktree list | wc -l", "1\n"),
        ("git fsck --no-dangling 2>&1", ""),
        ("ls .git", "HEAD\nconfig\nindex\ninfo\nobjects\nrefs\n"),
        ("ls /evalkit", "ls: cannot access '/evalkit': No such file or directory\n"),
        ("getent hosts localhost | wc -l", "1\n"),
    ],
)
def test_history_up_to_base_stays_usable(clean: DockerSandbox, command: str, told: str) -> None:
    assert clean.run(command, timeout_s=20).output.startswith(told)


def test_a_commit_can_be_made(clean: DockerSandbox) -> None:
    made = clean.run("git commit -q --allow-empty -m x && git log --format=%s -1", timeout_s=20)
    assert made.output == "x\n"


def test_without_history_there_is_one_commit(client: "APIClient", planted: Task) -> None:
    with (
        closing(DockerContainers(client, run_id="test-history", history="none")) as containers,
        containers.rollout(planted, 1) as sandbox,
    ):
        assert sandbox.run("git rev-list --all --count", timeout_s=20).output == "1\n"


@pytest.mark.row("A1")
def test_the_patch_is_the_same_as_ever(containers: DockerContainers, planted: Task) -> None:
    with containers.rollout(planted, 2) as sandbox:
        sandbox.run("echo five >> text.txt; git commit -qam mine", timeout_s=20)
        assert sandbox.patch().endswith(" four\n+five\n")


def test_attempts_share_a_layer(client: "APIClient", planted: Task) -> None:
    layers = Layers(client, {}, "base")
    assert layers.ensure(planted) == layers.ensure(planted)


def test_a_layer_found_under_the_name_but_made_of_another_image_is_not_taken(
    client: "APIClient", planted: Task, base: str
) -> None:
    layers = Layers(client, {}, "base")
    parent = client.inspect_image(planted.image)["Id"]
    client.tag(base, *layers._tag(planted, parent).split(":"), force=True)
    found = client.inspect_image(layers.ensure(planted))
    assert found["Config"]["Labels"][PARENT] == parent


PROOFS = {
    "A1-a branch": (
        "git -c core.logAllRefUpdates=false branch later",
        "refs beside refs/heads/main: ",
    ),
    "A4-a reflog": ("mkdir -p .git/logs", ".git holds logs"),
    "A4-a stash": ("git stash -q", ".git holds"),
    "A4-ORIG_HEAD": ("cp .git/HEAD .git/ORIG_HEAD", ".git holds ORIG_HEAD"),
    "A4-FETCH_HEAD": ("cp .git/HEAD .git/FETCH_HEAD", ".git holds FETCH_HEAD"),
    "A4-a worktree": ("mkdir .git/worktrees", ".git holds worktrees"),
    "A4-a submodule": ("mkdir .git/modules", ".git holds modules"),
    "A4-grafts": ("touch .git/info/grafts", ".git holds info/grafts"),
    "A4-alternates": ("echo /x > .git/objects/info/alternates", "holds objects/info/alternates"),
    "A1-a remote": ("git remote add origin x", ".git/config names another repository"),
    "A2-an object": ("echo secret | git hash-object -w --stdin", "objects outside the history"),
    "A4-another store": (
        "git clone -q . /srv/x; echo s | git -C /srv/x hash-object -w --stdin",
        "another store has more of its history: /srv/x/.git/objects",
    ),
    "A2-a broken store": ("rm -rf .git/refs", "not a git repository"),
    "A2-a pack that is cut off": ("truncate -s 100 .git/objects/pack/*.pack", ""),
}


@pytest.mark.parametrize("name", PROOFS)
def test_the_proof_refuses(
    client: "APIClient", containers: DockerContainers, planted: Task, name: str
) -> None:
    spoil, why = PROOFS[name]
    layer = Layers(client, {}, "base").ensure(planted)
    setting = "export GIT_CONFIG_GLOBAL=/dev/null\necho x >> text.txt\n"
    script = f"{setting}({spoil}) >/dev/null\n{_script('history_proof.sh')}"
    result = containers.run(Job(image=layer, script=script, workdir="/repo"))
    assert (result.exit_code == 0, why in result.stderr.decode()) == (False, True)


@pytest.mark.row("A2")
def test_the_proof_passes_what_is_clean(
    client: "APIClient", containers: DockerContainers, planted: Task
) -> None:
    layer = Layers(client, {}, "base").ensure(planted)
    job = Job(image=layer, script=_script("history_proof.sh"), workdir="/repo")
    assert containers.run(job).exit_code == 0


@pytest.mark.row("A1")
def test_without_its_base_no_sandbox_is_opened(containers: DockerContainers, planted: Task) -> None:
    lost = planted.model_copy(update={"base_commit": "1" * 40})
    with (
        pytest.raises(SandboxError, match="cannot take the later history out"),
        containers.rollout(lost, 1),
    ):
        pass


def test_an_image_goes_with_its_layers(client: "APIClient", images: Images, planted: Task) -> None:
    ref = own_tag("given-back")
    images.build(ref, f"FROM {planted.image}\nRUN touch /own\n", {}, lambda _: None)
    with closing(DockerContainers(client, run_id="test-history")) as containers:
        with containers.rollout(planted.model_copy(update={"image": ref}), 1):
            pass
        containers.settle(ref)
        images.remove(ref)
    assert images.digest(ref) is None

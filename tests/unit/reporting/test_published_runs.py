import json
import subprocess
from pathlib import Path

import pytest

from evalkit.errors import ConfigError, SourceError
from evalkit.reporting.published_runs import Catalogue, catalogue, fetch_verdicts, published_side
from evalkit.reporting.side import Side, Tried

NAME = "gpt-4o-paper"
COMMIT = "0123456789" * 4
VUE = f"instance_element-hq__element-web-{COMMIT}-vnan"
VULS = f"instance_future-architect__vuls-{COMMIT}"
CONTENT = json.dumps({VUE: True, VULS: False})


def read(folder: Path, name: str = NAME) -> Side:
    return published_side(name, local=folder, cache=folder / "none", say=print)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    (tmp_path / f"{NAME}.json").write_text(CONTENT)
    return tmp_path


def test_each_verdict_is_an_attempt_of_its_repositorys(local: Path) -> None:
    assert read(local).tasks == {
        VUE: Tried(repo="element-hq/element-web", planned=1, resolved=1),
        VULS: Tried(repo="future-architect/vuls", planned=1, resolved=0),
    }


def test_it_is_also_read_from_a_folder_of_its_own(local: Path) -> None:
    (local / NAME).mkdir()
    (local / f"{NAME}.json").rename(local / NAME / "eval_results.json")
    assert len(read(local).tasks) == 2


@pytest.mark.parametrize(
    "words", ["cost cap of 2 dollars", "before February 2026", "not graded are left out"]
)
def test_what_is_to_be_known_comes_with_it(local: Path, words: str) -> None:
    assert [text for text in read(local).caveats if words in text]


def test_of_its_tasks_nobody_knows_what_they_were(local: Path) -> None:
    assert read(local).task_revisions is None


def test_its_model_is_named(local: Path) -> None:
    assert read(local).model == "GPT-4o"


def test_nine_runs_are_known() -> None:
    assert len(catalogue().runs) == 9


def test_each_of_them_says_how_many_instances_were_graded() -> None:
    assert all("of 731 instances" in run.caveats[0] for run in catalogue().runs.values())


def test_of_an_unknown_name_the_nearest_is_told(local: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'gpt-4o-paper'"):
        read(local, "gpt-4o")


def test_a_folder_without_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"neither gpt-4o-paper/eval_results\.json nor gpt"):
        read(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{", f'{{"{VUE}": 1}}', f'{{"{VUE}": "true"}}'])
def test_what_are_no_verdicts_is_refused(local: Path, content: str) -> None:
    (local / f"{NAME}.json").write_text(content)
    with pytest.raises(SourceError, match="should map instance ids to true or false"):
        read(local)


@pytest.mark.parametrize("name", ["", "../x", f"instance_a__b-{COMMIT}\\n", "instance_a-b"])
def test_what_is_no_instance_is_refused(local: Path, name: str) -> None:
    (local / f"{NAME}.json").write_text(json.dumps({name: True}))
    with pytest.raises(SourceError, match=r"is no instance of SWE-bench Pro"):
        read(local)


@pytest.fixture
def remote(tmp_path: Path) -> Catalogue:
    """A public repository's stand-in, with one commit after the pinned one."""
    folder = tmp_path / "remote"
    path = folder / "traj" / NAME / "eval_results.json"
    path.parent.mkdir(parents=True)
    (folder / "other").mkdir()
    (folder / "other" / "file").write_text("x")
    _git(folder, "init", "--quiet")
    _git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    _git(folder, "config", "uploadpack.allowFilter", "true")
    path.write_text(CONTENT)
    pinned = _commit(folder)
    path.write_text("{}")
    _commit(folder)
    return catalogue().model_copy(update={"repository": folder.as_uri(), "commit": pinned})


def _git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _commit(folder: Path) -> str:
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message=x")
    return _git(folder, "rev-parse", "HEAD")


def test_without_a_folder_the_pinned_commit_is_fetched(remote: Catalogue, tmp_path: Path) -> None:
    folder = fetch_verdicts(remote, tmp_path / "cache", print)
    assert (folder / NAME / "eval_results.json").read_text() == CONTENT


def test_nothing_else_is_kept(remote: Catalogue, tmp_path: Path) -> None:
    folder = fetch_verdicts(remote, tmp_path / "cache", print)
    assert [path.name for path in folder.parent.iterdir()] == ["traj"]


def test_a_second_time_nobody_is_asked(remote: Catalogue, tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        fetch_verdicts(remote, tmp_path / "cache", said.append)
    assert len(said) == 1


def test_a_fetch_that_fails_points_to_a_local_folder(remote: Catalogue, tmp_path: Path) -> None:
    gone = remote.model_copy(update={"repository": (tmp_path / "gone").as_uri()})
    with pytest.raises(SourceError) as caught:
        fetch_verdicts(gone, tmp_path / "cache", print)
    assert "--published DIR" in caught.value.hint

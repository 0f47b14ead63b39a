import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evalkit.errors import SourceError, TaskError
from evalkit.suites.pro.scripts import (
    fetch_scripts,
    load_scripts,
    local_scripts,
    scripts_sha256,
)

ID = "instance_Acme__Rocket-1"
BASE = """FROM scratch
ENV A=1
  ENV B="two words" C=3
# ENV D=4
RUN true
"""
PARSER = b"import sys\n"
INSTANCE = "FROM base\nENV OLD style\nENVIRONMENT=5\nWORKDIR /app"


def _fill(folder: Path) -> None:
    contents = {
        f"run_scripts/{ID}/run_script.sh": b"set -e\r\necho \xc3\xa9\rend",
        f"run_scripts/{ID}/parser.py": PARSER,
        f"dockerfiles/base_dockerfile/{ID}/Dockerfile": BASE.encode(),
        f"dockerfiles/instance_dockerfile/{ID}/Dockerfile": INSTANCE.encode(),
        "helper_code/big.jsonl": bytes(2**20 + 1),
    }
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.autocrlf=false")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Remote:
    """A repository to fetch from, with one commit beyond the pinned one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        _fill(folder)
        _git(folder, "init", "--quiet")
        _git(folder, "config", "uploadpack.allowFilter", "true")
        _git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
        self.commit = self._commit()
        (folder / "run_scripts" / ID / "parser.py").write_text("newer")
        self._commit()

    def _commit(self) -> str:
        _git(self.folder, "add", "--all")
        _git(self.folder, "commit", "--quiet", "--message=x")
        return _git(self.folder, "rev-parse", "HEAD")

    def fetch(self, cache: Path, said: list[str]) -> Path:
        return fetch_scripts(self.folder.as_uri(), self.commit, cache, said.append)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    _fill(tmp_path / "checkout")
    return tmp_path / "checkout"


def test_the_pinned_commit_is_fetched_and_not_a_newer_one(remote: Remote, tmp_path: Path) -> None:
    root = remote.fetch(tmp_path / "cache", [])
    assert load_scripts(root, ID).parser == PARSER


def test_only_what_grading_needs_is_kept(remote: Remote, tmp_path: Path) -> None:
    root = remote.fetch(tmp_path / "cache", [])
    assert sorted(path.name for path in root.iterdir()) == ["dockerfiles", "run_scripts"]


def test_files_come_as_they_were_committed(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attributes = tmp_path / "attributes"
    attributes.write_text("* text eol=crlf\n")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f"[core]\nautocrlf = true\nattributesFile = {attributes}\n[init]\ndefaultObjectFormat = sha256\n"
        "[submodule]\nrecurse = true\n[fetch]\nfsckObjects = true\n"
    )
    monkeypatch.setenv("HOME", str(home))
    root = remote.fetch(tmp_path / "cache", [])
    fetched = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.*")}
    committed = {path: (remote.folder / path).read_bytes() for path in fetched}
    committed[f"run_scripts/{ID}/parser.py"] = PARSER
    assert (len(fetched), fetched) == (2, committed)


def test_a_second_fetch_asks_nobody(remote: Remote, tmp_path: Path) -> None:
    said: list[str] = []
    remote.fetch(tmp_path / "cache", said)
    remote.folder.rename(tmp_path / "gone")
    remote.fetch(tmp_path / "cache", said)
    assert len(said) == 1


def test_of_several_at_once_one_fetches(remote: Remote, tmp_path: Path) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        roots = pool.map(lambda _: remote.fetch(tmp_path / "cache", said), range(4))
    assert (len(set(roots)), len(said)) == (1, 1)


def test_what_a_killed_fetch_left_does_not_count(remote: Remote, tmp_path: Path) -> None:
    part = tmp_path / "cache" / "swebench-pro" / f"{remote.commit}.part"
    (part / "run_scripts").mkdir(parents=True, exist_ok=True)
    (part / "rubbish").touch()
    root = remote.fetch(tmp_path / "cache", [])
    assert not (root / "rubbish").exists()


def test_a_fetch_that_fails_says_what_git_said_and_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"git fetch failed .* does not appear to be a git"):
        fetch_scripts((tmp_path / "none").as_uri(), "a" * 40, tmp_path / "cache", print)
    assert not (tmp_path / "cache" / "swebench-pro" / ("a" * 40)).exists()


def test_a_fetch_that_fails_points_to_local_scripts(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        fetch_scripts((tmp_path / "none").as_uri(), "a" * 40, tmp_path / "cache", print)
    assert "suite.scripts=DIR" in caught.value.hint


def test_a_cache_that_cannot_be_written_is_named(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(SourceError, match="cannot be stored: "):
        remote.fetch(tmp_path / "cache", [])


def test_line_ends_become_newlines_as_in_the_official_evaluator(checkout: Path) -> None:
    assert load_scripts(checkout, ID).run_script == b"set -e\necho \xc3\xa9\nend"


def test_env_lines_become_exports_of_the_base_first(checkout: Path) -> None:
    assert load_scripts(checkout, ID).exports == (
        "export A=1",
        'export B="two words" C=3',
        "export OLD style",
        "exportIRONMENT=5",
    )


@pytest.mark.parametrize(
    "missing",
    [
        f"run_scripts/{ID}/run_script.sh",
        f"run_scripts/{ID}/parser.py",
        f"dockerfiles/base_dockerfile/{ID}/Dockerfile",
        f"dockerfiles/instance_dockerfile/{ID}/Dockerfile",
    ],
)
def test_a_missing_file_is_named(checkout: Path, missing: str) -> None:
    (checkout / missing).unlink()
    with pytest.raises(TaskError, match=f"lack {missing}"):
        load_scripts(checkout, ID)


def test_a_script_that_is_not_utf8_is_named(checkout: Path) -> None:
    (checkout / "run_scripts" / ID / "parser.py").write_bytes(b"\xff")
    with pytest.raises(TaskError, match=r"parser\.py is not UTF-8"):
        load_scripts(checkout, ID)


@pytest.mark.parametrize("missing", ["run_scripts", "dockerfiles"])
def test_a_folder_that_is_no_checkout_is_refused(checkout: Path, missing: str) -> None:
    (checkout / missing).rename(checkout / "other")
    with pytest.raises(TaskError, match=f"has no folder {missing}"):
        local_scripts(checkout)


def test_a_change_of_one_byte_shows_in_the_hash(checkout: Path) -> None:
    before = scripts_sha256(checkout, [ID])
    (checkout / "run_scripts" / ID / "parser.py").write_bytes(b"import sys \n")
    assert scripts_sha256(checkout, [ID]) != before


@pytest.mark.parametrize("ids", [[], [ID]])
def test_the_hash_does_not_depend_on_where_the_files_came_from(
    remote: Remote, checkout: Path, tmp_path: Path, ids: Sequence[str]
) -> None:
    fetched = remote.fetch(tmp_path / "cache", [])
    assert scripts_sha256(fetched, ids) == scripts_sha256(checkout, ids)

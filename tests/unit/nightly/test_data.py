"""What the rule reads: names that are not exact, and verdicts from a repository at its commit."""

import gzip
import json
import subprocess
from pathlib import Path

import pytest

from tests.nightly.data import LISTS, VERDICTS, Instance, fetch_verdicts, local

KNOWN = "instance_tutao__tutanota-09c2776c0fce3db5c6e18da92b5a45dce9f013aa-vbc0d9ba8f0071fbe982809910959a6ff8884dbbf"


def read(folder: Path, *runs: dict[str, bool], name: str = "a", test: str = "test_x") -> Instance:
    """Write an instance and the runs' verdicts, and read them."""
    row = {
        "instance_id": name,
        "repo": "acme/rocket",
        "selected_test_files_to_run": '["x.py", "x.py", "y.py"]',
        "fail_to_pass": json.dumps([test]),
        "pass_to_pass": '["test_y"]',
    }
    (folder / VERDICTS).mkdir()
    with gzip.open(folder / LISTS, "wt", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")
    for number, run in enumerate(runs):
        (folder / VERDICTS / f"{number}.json").write_text(json.dumps(run))
    (one,) = local(folder)
    return one


def test_a_run_without_a_verdict_does_not_count(tmp_path: Path) -> None:
    one = read(tmp_path, {"a": True}, {"a": False}, {"b": True})
    assert (one.solved, one.graded, one.share) == (1, 2, 0.5)


def test_an_instance_that_nobody_graded_has_no_share(tmp_path: Path) -> None:
    assert read(tmp_path).share == 0


def test_an_entry_named_twice_counts_once(tmp_path: Path) -> None:
    assert read(tmp_path).entries == 2


def test_required_tests_are_those_of_both_lists(tmp_path: Path) -> None:
    assert read(tmp_path).required == 2


@pytest.mark.parametrize(("name", "known"), [(KNOWN, True), ("a", False)], ids=["slow", "other"])
def test_an_instance_of_known_csv_is_known(tmp_path: Path, name: str, known: bool) -> None:
    assert read(tmp_path, name=name).known is known


@pytest.mark.parametrize(
    ("test", "inexact"),
    [
        ("x.py::test_name[foo", True),
        ("x.py::test_name[[]", False),
        ("x.py::test_name[foo]", False),
        ("x.js | does not split [foo", False),
        ("test/api/Suite.ts | api tests (3029 assertions)", True),
        ("test/tests/Suite.js | test_2955", True),
        ("x.py::test_2955", False),
    ],
)
def test_a_name_that_is_cut_or_holds_a_count_is_not_exact(
    tmp_path: Path, test: str, inexact: bool
) -> None:
    assert read(tmp_path, test=test).inexact is inexact


def test_verdicts_are_those_of_the_pinned_commit(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path / "remote"), "-c", "user.name=x", "-c", "user.email=x@y"]
    subprocess.run(["git", "init", "-q", str(tmp_path / "remote")], check=True)
    subprocess.run([*git, "config", "uploadpack.allowAnySHA1InWant", "true"], check=True)
    subprocess.run([*git, "config", "uploadpack.allowFilter", "true"], check=True)
    file = tmp_path / "remote" / "traj" / "mine" / "eval_results.json"
    file.parent.mkdir(parents=True)
    for verdict in ("true", "false"):
        file.write_text(f'{{"a": {verdict}}}')
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", verdict], check=True)
    first = subprocess.run([*git, "rev-parse", "HEAD~"], check=True, capture_output=True, text=True)
    url = f"file://{tmp_path / 'remote'}"
    (fetched,) = fetch_verdicts(url, first.stdout.strip(), tmp_path / "cache")
    assert json.loads(fetched.read_text()) == {"a": True}

"""What the rule reads: published verdicts, counts, and names that are not exact."""

import gzip
import json
from pathlib import Path

import pytest

from evalkit.reporting.published_runs import catalogue
from tests.nightly.data import LISTS, VERDICTS, Instance, local

KNOWN = "instance_tutao__tutanota-09c2776c0fce3db5c6e18da92b5a45dce9f013aa-vbc0d9ba8f0071fbe982809910959a6ff8884dbbf"
OTHER, ANOTHER = (f"instance_acme__rocket-{digit * 40}" for digit in "ab")


def read(folder: Path, *runs: dict[str, bool], name: str = OTHER, test: str = "test_x") -> Instance:
    """Write an instance and the first runs' verdicts, and read them; the other runs have none."""
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
    for number, run in enumerate(catalogue().runs):
        verdicts = runs[number] if number < len(runs) else {}
        (folder / VERDICTS / f"{run}.json").write_text(json.dumps(verdicts))
    (one,) = local(folder)
    return one


def test_a_run_without_a_verdict_does_not_count(tmp_path: Path) -> None:
    one = read(tmp_path, {OTHER: True}, {OTHER: False}, {ANOTHER: True})
    assert (one.solved, one.graded, one.share) == (1, 2, 0.5)


def test_an_instance_that_nobody_graded_has_no_share(tmp_path: Path) -> None:
    assert read(tmp_path).share == 0


def test_an_entry_named_twice_counts_once(tmp_path: Path) -> None:
    assert read(tmp_path).entries == 2


def test_required_tests_are_those_of_both_lists(tmp_path: Path) -> None:
    assert read(tmp_path).required == 2


@pytest.mark.parametrize(("name", "known"), [(KNOWN, True), (OTHER, False)], ids=["slow", "other"])
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

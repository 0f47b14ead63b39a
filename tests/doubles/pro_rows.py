"""Rows of SWE-bench Pro, made up."""

from collections.abc import Callable

import pytest

RawRow = Callable[..., dict[str, object]]


@pytest.fixture
def raw_row() -> RawRow:
    """Make a row as the dataset has it: 16 columns of text, some changed."""

    def make(**changes: object) -> dict[str, object]:
        sha = str(changes.pop("sha", "a" * 40))
        row: dict[str, object] = {
            "repo": "Acme/Rocket",
            "instance_id": f"instance_Acme__Rocket-{sha}-vnan",
            "base_commit": "b" * 40,
            "patch": "diff --git a/x b/x\n",
            "test_patch": "",
            "problem_statement": "It does not fly.",
            "requirements": "- It flies.",
            "interface": "No new interfaces are introduced.",
            "repo_language": "python",
            "fail_to_pass": '["test_x.py::test_flies"]',
            "pass_to_pass": "[]",
            "issue_specificity": "[]",
            "issue_categories": "[]",
            "before_repo_set_cmd": f"git reset --hard B\ngit clean -fd \ngit checkout {sha} -- test_x.py",
            "selected_test_files_to_run": '["test_x.py", "test_y.py", "test_x.py"]',
            "dockerhub_tag": "acme.rocket-Acme__Rocket-" + sha,
        }
        return row | changes

    return make

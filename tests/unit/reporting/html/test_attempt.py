import json
from pathlib import Path

import pytest

from evalkit.reporting.html.attempt import MOST_LOG, Attempt, read_attempt
from evalkit.reporting.load import salvage_run
from tests.unit.reporting.conftest import WriteRun, write_run

__all__ = ["write_run"]


@pytest.fixture
def folder(write_run: WriteRun) -> Path:
    """The folder of the one attempt that there is."""
    return write_run() / "tasks" / "demo" / "1"


def _read(folder: Path, task_id: str = "demo") -> Attempt:
    return read_attempt(salvage_run(folder.parents[2]), task_id, 1, None)


def test_an_attempt_without_a_folder_says_so(folder: Path) -> None:
    assert _read(folder, "other").missing == ["tasks/other/1 is not in the run folder"]


@pytest.mark.parametrize("task_id", ["../demo", "..", "demo/1/../..", "", "/etc", "a\n"])
def test_an_id_leads_nowhere_but_into_the_run_folder(task_id: str, folder: Path) -> None:
    assert _read(folder, task_id).missing == [f"tasks/{task_id}/1 is not in the run folder"]


@pytest.mark.parametrize("name", ["trajectory.jsonl", "patch.diff", "stdout.log", "evidence.json"])
def test_a_link_is_not_followed(name: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / "secret")
    assert _read(folder).missing == [f"{name} is a link, which is not followed"]


def test_a_folder_that_is_a_link_out_of_the_run_is_not_followed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "1").mkdir()
    (folder.parents[1] / "other").symlink_to(outside)
    assert _read(folder, "other").missing


@pytest.mark.parametrize("name", ["evidence.json", "verdict.json", "audit.json"])
@pytest.mark.parametrize("damage", ["{", "[]", "\x00", "7"])
def test_a_damaged_file_is_named_and_the_rest_is_read(name: str, damage: str, folder: Path) -> None:
    (folder / "stdout.log").write_text("said")
    (folder / name).write_text(damage)
    shown = _read(folder)
    assert (shown.missing[0].startswith(f"{name} is damaged"), shown.logs) == (
        True,
        {"stdout.log": ("said", "", 0)},
    )


@pytest.mark.parametrize(
    ("name", "strange"),
    [
        ("evidence.json", {"statuses": 3, "applied": ["a"]}),
        ("evidence.json", {"statuses": {"a": {"b": 1}}}),
        ("verdict.json", {"reasons": "x"}),
        ("audit.json", {"findings": [3, {}, {"turn": 1e999}]}),
    ],
)
def test_content_of_another_shape_stops_nothing(
    name: str, strange: dict[str, object], folder: Path
) -> None:
    (folder / name).write_text(json.dumps(strange))
    assert _read(folder).missing == []


def test_tests_that_did_not_pass_stand_apart(folder: Path) -> None:
    (folder / "evidence.json").write_text('{"statuses": {"a": "PASSED", "b": "FAILED"}}')
    shown = _read(folder)
    assert ([one.name for one in shown.failed], [one.name for one in shown.passed]) == (
        ["b"],
        ["a"],
    )


def test_of_a_long_log_it_is_known_how_much_is_not_shown(folder: Path) -> None:
    (folder / "stdout.log").write_bytes(b"x" * (MOST_LOG + 7))
    assert _read(folder).logs["stdout.log"].left_out == 7


def test_tries_that_were_set_aside_are_counted(folder: Path) -> None:
    (folder.parent / "1.1").mkdir()
    assert _read(folder).earlier == 1

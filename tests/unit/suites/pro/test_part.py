"""A suite that is a part of another: `extends`, and the list of `only`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.config.content import content_root
from evalkit.errors import ConfigError, TaskError
from evalkit.protocols import Images, Suite
from evalkit.suites.registry import open_suite
from tests.doubles.pro import SHAPES, pro_id, write_pro_data

NIGHTLY = content_root() / "tasks" / "swebench-pro-nightly"
Open = Callable[..., Suite]


def _no_images() -> Images:
    raise AssertionError("images were asked for")


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Open a suite, or the part that lists the given lines, over instances made up."""
    rows, scripts = write_pro_data(tmp_path)
    own = (f"rows={rows}", f"scripts={scripts}")

    def build(*lines: str, extends: str = "swebench-pro") -> Suite:
        part = tmp_path / "part"
        part.mkdir(exist_ok=True)
        (part / "list.txt").write_text("\n".join(lines))
        (part / "suite.yaml").write_text(
            f"extends: {extends}\nname: part\ndescription: a part\nsize: 1\nonly: list.txt\n"
        )
        name = str(part) if lines else extends
        return open_suite(name, own, images=_no_images, say=print, cache=tmp_path / "cache")

    return build


SHAPE, OTHER = sorted(SHAPES)[:2]


def test_a_part_has_the_listed_tasks_alone(opened: Open) -> None:
    assert [task.id for task in opened(pro_id(SHAPE)).tasks()] == [pro_id(SHAPE)]


def test_a_comment_is_no_task(opened: Open) -> None:
    assert len(opened("# why these", f"{pro_id(SHAPE)} # easy", "").tasks()) == 1


def test_tasks_keep_the_datasets_order(opened: Open) -> None:
    whole = [task.id for task in opened().tasks()]
    assert [task.id for task in opened(*reversed(whole)).tasks()] == whole


def test_a_task_of_a_part_is_that_of_the_whole(opened: Open) -> None:
    whole = {task.id: task.sha256 for task in opened().tasks()}
    assert [whole[task.id] for task in opened(pro_id(SHAPE)).tasks()] == [
        task.sha256 for task in opened(pro_id(SHAPE)).tasks()
    ]


def test_a_part_has_its_own_name(opened: Open) -> None:
    assert opened(pro_id(SHAPE)).name == "part"


def test_a_part_has_the_runner_of_the_whole(opened: Open) -> None:
    assert opened(pro_id(SHAPE)).default_runner == opened().default_runner


def test_known_bad_instances_are_those_of_the_whole(opened: Open) -> None:
    assert opened(pro_id(SHAPE)).known_bad == opened().known_bad


def test_the_revision_covers_the_parts_own_rows(opened: Open, tmp_path: Path) -> None:
    before = opened(pro_id(SHAPE)).revision
    _change(tmp_path / "rows.jsonl", pro_id(OTHER))
    assert opened(pro_id(SHAPE)).revision == before


def test_the_revision_changes_with_a_row_of_the_part(opened: Open, tmp_path: Path) -> None:
    before = opened(pro_id(SHAPE)).revision
    _change(tmp_path / "rows.jsonl", pro_id(SHAPE))
    assert opened(pro_id(SHAPE)).revision != before


def _change(rows: Path, name: str) -> None:
    table = [json.loads(line) for line in rows.read_text("utf-8").splitlines()]
    for row in table:
        row["problem_statement"] += " Now." if row["instance_id"] == name else ""
    rows.write_text("".join(json.dumps(row) + "\n" for row in table), "utf-8")


def test_an_instance_without_a_row_is_named(opened: Open) -> None:
    with pytest.raises(TaskError, match="no row for instance_none, and 0 more"):
        opened(pro_id(SHAPE), "instance_none").tasks()


def test_a_list_of_nothing_is_refused(opened: Open) -> None:
    with pytest.raises(TaskError, match="no instance"):
        opened("# nothing").tasks()


def test_a_list_that_is_not_there_is_named(opened: Open, tmp_path: Path) -> None:
    part = opened(pro_id(SHAPE))
    (tmp_path / "part" / "list.txt").unlink()
    with pytest.raises(TaskError, match="cannot read the list of instances"):
        part.tasks()


def test_a_suite_that_is_not_there_cannot_be_extended(opened: Open) -> None:
    with pytest.raises(ConfigError, match="did you mean 'swebench-pro'"):
        opened(pro_id(SHAPE), extends="swebench-pr")


def test_the_nightly_suite_lists_60_instances() -> None:
    lines = (NIGHTLY / "instances.txt").read_text("utf-8").splitlines()
    assert len({line for line in lines if not line.startswith("#")}) == 60

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.config.content import content_root
from evalkit.config.yaml_files import read_yaml, validate, with_overrides
from evalkit.errors import ConfigError, ImageError, TaskError
from evalkit.suites.pro.suite import ProFile, ProSuite
from evalkit.types import Limits, Network
from tests.doubles.pro_rows import RawRow

FOLDER = content_root() / "tasks" / "swebench-pro"
Make = Callable[..., ProSuite]


class ImagesHere:
    """Images that are here once pulled; `ready` ones are here already."""

    def __init__(self, *ready: str, lost: bool = False) -> None:
        self.here = set(ready)
        self.lost = lost
        self.done: list[tuple[str, str]] = []

    def digest(self, ref: str) -> str | None:
        return f"sha256:{ref}" if ref in self.here else None

    def pull(self, ref: str, say: Callable[[str], None]) -> None:
        self.done.append(("pull", ref))
        if not self.lost:
            self.here.add(ref)

    def remove(self, ref: str) -> None:
        self.done.append(("remove", ref))
        self.here.discard(ref)

    def build(self, *_: object) -> None:
        raise NotImplementedError

    def ensure_base(self, **_: object) -> None:
        raise NotImplementedError


def _no_images() -> ImagesHere:
    raise AssertionError("images were asked for")


@pytest.fixture
def make(tmp_path: Path, raw_row: RawRow) -> Make:
    """Make a suite of one row and its scripts; `overrides` change suite.yaml."""
    row = raw_row()
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    for path in (
        "run_scripts/{}/run_script.sh",
        "run_scripts/{}/parser.py",
        "dockerfiles/base_dockerfile/{}/Dockerfile",
        "dockerfiles/instance_dockerfile/{}/Dockerfile",
    ):
        file = tmp_path / "scripts" / path.format(row["instance_id"])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("ENV X=1\n")
    local = [f"rows={tmp_path / 'rows.jsonl'}", f"scripts={tmp_path / 'scripts'}"]

    def build(*overrides: str, images: ImagesHere | None = None) -> ProSuite:
        data = with_overrides(read_yaml(FOLDER / "suite.yaml"), [*local, *overrides])
        file = validate(ProFile, data, "suite.yaml")
        return ProSuite(FOLDER, file, lambda: images or _no_images(), print, tmp_path / "cache")

    return build


def test_name_and_runner_are_known_without_rows(make: Make) -> None:
    suite = make("rows=/none.jsonl", "scripts=/none")
    assert (suite.name, suite.default_runner) == ("swebench-pro", "qwen3-coder-next")


def test_rows_that_are_not_there_are_named(make: Make) -> None:
    with pytest.raises(TaskError, match=r"none\.jsonl"):
        make("rows=/none.jsonl").tasks()


def test_a_misspelt_key_is_refused_with_the_nearest(make: Make) -> None:
    with pytest.raises(ConfigError, match="script"):
        make("script=/x")


def test_dataset_and_scripts_are_pinned(make: Make) -> None:
    data = read_yaml(FOLDER / "suite.yaml")
    assert (data["dataset"]["revision"], data["commit"]) == (
        "7ab5114912baf22bb098818e604c02fe7ad2c11f",
        "ca10a60a5fcae51e6948ffe1485d4153d421e6c5",
    )


def test_a_task_has_the_official_image_folder_and_network(make: Make) -> None:
    [task] = make().tasks()
    assert (task.image, task.workdir, task.network) == (
        f"jefzda/sweap-images:acme.rocket-Acme__Rocket-{'a' * 40}",
        "/app",
        Network.BRIDGE,
    )


def test_a_task_has_the_limits_of_the_suite(make: Make) -> None:
    assert make().tasks()[0].limits == Limits(cpus=4, memory_mib=16384, pids=4096, seconds=3600)


def test_the_last_line_of_the_set_up_is_what_grading_runs(make: Make) -> None:
    [task] = make().tasks()
    assert task.payload["before_repo_set_cmd"] == f"git checkout {'a' * 40} -- test_x.py"


def test_selected_tests_are_joined_as_they_stand(make: Make) -> None:
    assert make().tasks()[0].payload["selected"] == "test_x.py,test_y.py,test_x.py"


def test_test_files_are_named_once(make: Make) -> None:
    assert make().tasks()[0].test_files == ("test_x.py", "test_y.py")


def test_the_problem_shows_neither_id_nor_tests(make: Make) -> None:
    [task] = make().tasks()
    shown = [task.id, "a" * 40, *task.fail_to_pass, *task.test_files, "git checkout"]
    assert [text for text in shown if text in task.problem] == []


def test_the_revision_is_the_same_for_the_same_content(make: Make) -> None:
    assert make().revision == make().revision


@pytest.mark.parametrize("override", ["network=none", "limits.seconds=60"])
def test_what_can_change_a_verdict_changes_the_revision(make: Make, override: str) -> None:
    assert make(override).revision != make().revision


def test_a_changed_script_changes_the_revision(make: Make, tmp_path: Path) -> None:
    before = make().revision
    next((tmp_path / "scripts").rglob("parser.py")).write_text("changed")
    assert make().revision != before


def _task_revision(suite: ProSuite) -> str:
    [task] = suite.tasks()
    return suite.task_revision(task)


def test_a_task_left_alone_keeps_its_revision(make: Make) -> None:
    assert _task_revision(make()) == _task_revision(make())


@pytest.mark.parametrize("override", ["network=none", "limits.seconds=60"])
def test_what_can_change_a_verdict_changes_the_tasks_revision(make: Make, override: str) -> None:
    assert _task_revision(make(override)) != _task_revision(make())


def test_its_changed_script_changes_a_tasks_revision(make: Make, tmp_path: Path) -> None:
    before = _task_revision(make())
    next((tmp_path / "scripts").rglob("parser.py")).write_text("changed")
    assert _task_revision(make()) != before


def test_a_changed_row_changes_the_revision(make: Make, tmp_path: Path, raw_row: RawRow) -> None:
    before = make().revision
    (tmp_path / "rows.jsonl").write_text(json.dumps(raw_row(interface="")), "utf-8")
    assert make().revision != before


def test_facts_name_local_sources_without_their_path(make: Make) -> None:
    facts = make("network=none").facts
    assert {key: value for key, value in facts.items() if "sha256" not in key} == {
        "rows_file": "rows.jsonl",
        "scripts_folder": "scripts",
        "grading_network": "none",
    }


def test_facts_hold_the_hashes_of_rows_and_scripts(make: Make) -> None:
    hashes = [str(value) for key, value in make().facts.items() if key.endswith("_sha256")]
    assert [bool(re.fullmatch("[0-9a-f]{64}", value)) for value in hashes] == [True, True]


def test_an_image_that_is_missing_is_pulled(make: Make) -> None:
    images = ImagesHere()
    suite = make(images=images)
    [task] = suite.tasks()
    assert (suite.prepare(task), images.done) == (f"sha256:{task.image}", [("pull", task.image)])


def test_an_image_that_is_here_is_not_pulled(make: Make) -> None:
    [task] = make().tasks()
    images = ImagesHere(task.image)
    make(images=images).prepare(task)
    assert images.done == []


def test_an_image_that_a_pull_did_not_bring_is_a_fault(make: Make) -> None:
    suite = make(images=ImagesHere(lost=True))
    with pytest.raises(ImageError, match="is not there"):
        suite.prepare(suite.tasks()[0])


def test_releasing_a_task_removes_its_image(make: Make) -> None:
    [task] = make().tasks()
    images = ImagesHere(task.image)
    make(images=images).release(task)
    assert images.here == set()


def test_ids_and_reasons_of_the_known_bad_come_from_the_folder(make: Make) -> None:
    assert len(make().known_bad) == 9


def test_what_some_model_solved_is_not_called_bad(make: Make) -> None:
    with (FOLDER / "known.csv").open(encoding="utf-8", newline="") as lines:
        stays = {line["instance"] for line in csv.DictReader(lines) if "sometimes" in line["kind"]}
    assert (len(stays), stays & set(make().known_bad)) == (6, set())


def test_every_known_defect_has_a_note_and_a_source() -> None:
    with (FOLDER / "known.csv").open(encoding="utf-8", newline="") as lines:
        bare = [line for line in csv.DictReader(lines) if not (line["note"] and line["source"])]
    assert bare == []

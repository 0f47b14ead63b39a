"""Patches from a file, graded by the real daemon."""

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evalkit.config.content import content_root
from tests.docker.cli.conftest import Evalkit


def gold(task_id: str) -> str:
    return (content_root() / "tasks" / "quickstart" / task_id / "gold.patch").read_bytes().decode()


PREDICTIONS: list[Any] = [
    {"instance_id": "leap-years", "model_patch": gold("leap-years"), "attempt": 1},
    {"instance_id": "leap-years", "model_patch": gold("leap-years")[:-1], "attempt": 2},
    {"instance_id": "celsius-formula", "model_patch": "\ud800"},
    {"instance_id": "month-end-drft", "model_patch": ""},
]


class Graded(NamedTuple):
    done: "subprocess.CompletedProcess[str]"
    results: dict[tuple[str, int], dict[str, Any]]
    folder: Path


@pytest.fixture(scope="module")
def graded(evalkit: Evalkit, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    folder = tmp_path_factory.mktemp("grade")
    file = folder / "some-model.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in PREDICTIONS) + "{cut off\n")
    arguments = ("--suite", "quickstart", "--predictions", str(file), "-o", str(folder / "run"))
    done = evalkit("grade", *arguments, "-w", "2", "--repair-newline", "--format", "json")
    results = json.loads(done.stdout)["results"]
    return Graded(done, {(one["task_id"], one["attempt"]): one for one in results}, folder / "run")


OUTCOMES = {
    ("leap-years", 1): "resolved",
    ("leap-years", 2): "patch_rejected",
    ("celsius-formula", 1): "patch_rejected",
    ("celsius-formula", 2): "no_patch",
}


@pytest.mark.parametrize("pair", OUTCOMES)
def test_every_prediction_is_graded_and_a_missing_one_is_empty(
    graded: Graded, pair: tuple[str, int]
) -> None:
    assert graded.results[pair]["outcome"] == OUTCOMES[pair]


def test_a_missing_final_newline_is_completed_for_the_second_score(graded: Graded) -> None:
    assert graded.results["leap-years", 2]["repaired_outcome"] == "resolved"


def test_what_is_wrong_does_not_fail_the_rest(graded: Graded) -> None:
    assert graded.done.returncode == 0


@pytest.mark.parametrize(
    "told",
    [
        "line 3: the patch of celsius-formula is not Unicode, so it does not apply",
        "line 4: unknown task 'month-end-drft'; did you mean 'month-end-drift'?",
        "line 5: is not JSON",
        "grading 2 of the 8 tasks of quickstart",
    ],
)
def test_stderr_tells_what_is_wrong_and_how_much_is_graded(graded: Graded, told: str) -> None:
    assert told in graded.done.stderr


def test_the_file_names_the_model_where_its_lines_do_not(graded: Graded) -> None:
    manifest = json.loads((graded.folder / "run.json").read_text())
    assert manifest["model"] == "some-model.jsonl"


def test_predictions_that_a_run_wrote_are_graded_alike(
    evalkit: Evalkit, graded: Graded, tmp_path: Path
) -> None:
    written = graded.folder / "preds.jsonl"
    arguments = ("--suite", "quickstart", "--predictions", str(written), "-i", "leap-years")
    done = evalkit("grade", *arguments, "-o", str(tmp_path / "run"), "--format", "json")
    again = [one["outcome"] for one in json.loads(done.stdout)["results"]]
    assert sorted(again) == ["patch_rejected", "resolved"]


def test_the_summary_names_the_size_of_the_suite(evalkit: Evalkit, tmp_path: Path) -> None:
    (tmp_path / "preds.json").write_text(json.dumps({"leap-years": gold("leap-years")}))
    file = ("--predictions", str(tmp_path / "preds.json"), "-o", str(tmp_path / "run"))
    assert "1 of the suite's 8 tasks" in evalkit("grade", "--suite", "quickstart", *file).stdout


def test_nothing_right_exits_with_2(evalkit: Evalkit, tmp_path: Path) -> None:
    (tmp_path / "preds.json").write_text('{"leap-year": ""}')
    file = ("--predictions", str(tmp_path / "preds.json"))
    done = evalkit("grade", "--suite", "quickstart", *file)
    assert (done.returncode, "did you mean 'leap-years'?" in done.stderr) == (2, True)

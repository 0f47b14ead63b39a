"""The known solutions resolve every task, no change resolves none: the suite grades as it should."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.docker.cli.conftest import Evalkit


def run_whole_suite(evalkit: Evalkit, agent: str, folder: Path) -> Counter[str]:
    done = evalkit("run", "--suite", "quickstart", "--agent", agent, "-o", str(folder))
    assert done.returncode == 0, done.stderr
    lines = (folder / "results.jsonl").read_text().splitlines()
    return Counter(json.loads(line)["outcome"] for line in lines)


@pytest.fixture(scope="module")
def gold(evalkit: Evalkit, folder: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    arguments = ("run", "--suite", "quickstart", "--agent", "gold", "-o", str(folder))
    return folder, evalkit(*arguments)


Gold = tuple[Path, "subprocess.CompletedProcess[str]"]


def test_gold_resolves_every_task(gold: Gold) -> None:
    lines = (gold[0] / "results.jsonl").read_text().splitlines()
    assert Counter(json.loads(line)["outcome"] for line in lines) == {"resolved": 8}


def test_null_resolves_none(evalkit: Evalkit, tmp_path: Path) -> None:
    assert run_whole_suite(evalkit, "null", tmp_path / "null") == {"no_patch": 8}


def test_a_finished_run_exits_with_0(gold: Gold) -> None:
    assert gold[1].returncode == 0


def test_the_summary_goes_to_stdout(gold: Gold) -> None:
    assert "100.0%, 8 of 8 (95 % interval 67.6% to 100.0%)" in gold[1].stdout


def test_progress_goes_to_stderr(gold: Gold) -> None:
    assert "[8/8]" in gold[1].stderr


def test_the_run_folder_holds_what_the_design_says(gold: Gold) -> None:
    names = {path.name for path in gold[0].iterdir()}
    assert names >= {"run.json", "events.jsonl", "results.jsonl", "preds.jsonl", "tasks", "report"}


def test_the_outcomes_chart_is_a_picture(gold: Gold) -> None:
    picture = (gold[0] / "report" / "outcomes.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_a_folder_that_holds_a_run_is_refused(evalkit: Evalkit, gold: Gold) -> None:
    again = evalkit("run", "--suite", "quickstart", "--agent", "gold", "-o", str(gold[0]))
    assert (again.returncode, again.stderr.count("\n")) == (2, 2)


def test_without_docker_the_cause_and_the_way_out_are_told(
    evalkit: Evalkit, tmp_path: Path
) -> None:
    done = evalkit(
        *("run", "--suite", "quickstart", "--agent", "gold", "-o", str(tmp_path / "run")),
        extra={"DOCKER_HOST": "unix:///nowhere.sock"},
    )
    assert (done.returncode, "setup.sh" in done.stderr) == (3, True)


def test_without_docker_nothing_is_left_that_a_second_call_trips_over(
    evalkit: Evalkit, tmp_path: Path
) -> None:
    arguments = ("run", "--suite", "quickstart", "-i", "leap-years", "--agent", "gold")
    folder = ("-o", str(tmp_path / "run"))
    evalkit(*arguments, *folder, extra={"DOCKER_HOST": "unix:///nowhere.sock"})
    assert evalkit(*arguments, *folder).returncode == 0


def test_doctor_finds_docker(evalkit: Evalkit) -> None:
    assert "ok       docker" in evalkit("doctor").stdout


def test_doctor_says_what_is_missing(evalkit: Evalkit) -> None:
    done = evalkit("doctor", extra={"DOCKER_HOST": "unix:///nowhere.sock"})
    assert (done.returncode, "MISSING  docker" in done.stdout) == (3, True)


def test_prepare_a_second_time_builds_nothing(evalkit: Evalkit, gold: Gold) -> None:
    assert "building" not in evalkit("prepare", "--suite", "quickstart").stderr

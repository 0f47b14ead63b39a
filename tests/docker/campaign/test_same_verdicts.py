"""The same patch has the same verdict, however much runs beside it; a test for which not is found."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.docker.cli.conftest import Evalkit
from tests.doubles.suites import own_quickstart

WORKERS = (2, 4)
FLAKY = """

def test_that_passes_half_the_time():
    assert __import__("os").urandom(1)[0] % 2
"""
REPLICAS = 16
"""That all of them come out alike happens once in 32,768 times."""


@pytest.fixture(scope="module")
def verdicts(
    evalkit: Evalkit, tmp_path_factory: pytest.TempPathFactory
) -> dict[int, dict[str, object]]:
    """Of the known solutions of all tasks, by how many were graded at once."""
    root = tmp_path_factory.mktemp("verdicts")
    found = {}
    for workers in WORKERS:
        folder = root / str(workers)
        side_by_side = ("-w", str(workers), "--set", f"concurrency.gradings={workers}")
        evalkit("run", "--suite", "quickstart", "--agent", "gold", "-o", str(folder), *side_by_side)
        files = folder.glob("tasks/*/1/verdict.json")
        found[workers] = {path.parts[-3]: json.loads(path.read_text()) for path in files}
    return found


@pytest.mark.row("F13")
def test_twice_the_workers_come_to_the_same_verdicts(
    verdicts: dict[int, dict[str, object]],
) -> None:
    few, many = (verdicts[workers] for workers in WORKERS)
    assert (len(few), many) == (8, few)


@pytest.fixture(scope="module")
def flaky(
    evalkit: Evalkit, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    """A suite of one task, one of whose tests passes half the time, validated."""
    root = tmp_path_factory.mktemp("flaky")
    suite = own_quickstart(root, "leap-years/tests/test_leap.py", FLAKY)
    folder, file, task = root / "check", suite / "suite.yaml", suite / "leap-years"
    content = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(content | {"tasks": [task.name]}))
    settings = yaml.safe_load((task / "task.yaml").read_text())
    settings["pass_to_pass"].append("tests/test_leap.py::test_that_passes_half_the_time")
    (task / "task.yaml").write_text(yaml.safe_dump(settings))
    done = evalkit(
        *("validate", "--suite", str(suite), "--replicas", str(REPLICAS), "-o", str(folder))
    )
    return folder, done


Flaky = tuple[Path, "subprocess.CompletedProcess[str]"]


@pytest.mark.row("F12")
def test_a_task_whose_tests_are_flaky_is_called_so(flaky: Flaky) -> None:
    listed = (flaky[0] / "known-bad.txt").read_text()
    assert listed.startswith("leap-years  # flaky: "), flaky[1].stderr


@pytest.mark.row("F12")
def test_the_test_is_named(flaky: Flaky) -> None:
    assert "test_that_passes_half_the_time FAILED" in flaky[1].stderr


@pytest.mark.row("F12")
def test_a_flaky_task_fails_validation(flaky: Flaky) -> None:
    assert flaky[1].returncode == 1

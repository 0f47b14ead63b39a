"""nightly.sh with the real evalkit: nights of one scripted model, compared with a run of its own.

The model looks round for three turns, then mends and submits: of three turns it needs five.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from evalkit.cli.wiring import environment
from evalkit.serving.scripted import Script, Scripted, scripted_server
from tests.docker.cli.conftest import Evalkit
from tests.doubles.solver import FIXES, bash, endpoint, solves, task_of

SCRIPT = Path(__file__).parents[3] / "nightly.sh"
TASKS = [word for name in FIXES for word in ("-i", name)]
Night = Callable[..., "subprocess.CompletedProcess[str]"]


def unhurried() -> Script:
    solve = solves()
    assert callable(solve)

    def answer(body: Mapping[str, Any]) -> Scripted:
        turns = sum(message["role"] == "assistant" for message in body["messages"])
        if task_of(body) is not None and turns < 3:
            return bash(f"ls # {turns}")
        return solve(body)

    return answer


@pytest.fixture(scope="module")
def model() -> Iterator[Sequence[str]]:
    """Flags of a run that asks the model, each task of its own."""
    with scripted_server(unhurried()) as url:
        yield [*TASKS, *endpoint(url)]


@pytest.fixture(scope="module")
def night(evalkit: Evalkit, model: Sequence[str], folder: Path) -> Night:
    """Run a night against a baseline of five attempts, made once."""
    baseline = folder / "baseline"
    made = evalkit("run", "--suite", "quickstart", "-k", "5", "-o", str(baseline), *model)
    assert made.returncode == 0, made.stderr

    def run(runs: Path, *flags: str, **extra: str) -> "subprocess.CompletedProcess[str]":
        own = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}  # noqa: TID251
        return subprocess.run(
            [str(SCRIPT), "--baseline", str(baseline), "--suite", "quickstart",
             "--runs", str(runs), "--", *model, *flags],
            env={**environment(), **own, **extra},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def equal(night: Night, folder: Path) -> tuple["subprocess.CompletedProcess[str]", Path]:
    return night(folder / "equal"), folder / "equal" / "report"


@pytest.fixture(scope="module")
def sabotaged(night: Night, folder: Path) -> tuple["subprocess.CompletedProcess[str]", Path]:
    runs = folder / "sabotaged"
    return night(runs, "--set", "limits.turns=3"), runs / "report"


Made = tuple["subprocess.CompletedProcess[str]", Path]


def test_an_equal_night_is_0(equal: Made) -> None:
    assert equal[0].returncode == 0, equal[0].stderr


def test_a_night_of_three_turns_is_1(sabotaged: Made) -> None:
    assert sabotaged[0].returncode == 1, sabotaged[0].stderr


def test_a_night_without_docker_is_3(night: Night, tmp_path: Path) -> None:
    assert night(tmp_path, DOCKER_HOST="unix:///nowhere.sock").returncode == 3


def test_the_junit_of_an_equal_night_has_a_case_a_task(equal: Made) -> None:
    assert (equal[1] / "junit.xml").read_text("utf-8").count("<testcase ") == len(FIXES)


def test_the_summary_of_a_worse_night_is_written(sabotaged: Made) -> None:
    assert (sabotaged[1] / "compare.md").read_text("utf-8") != ""


@pytest.mark.parametrize("made", ["equal", "sabotaged"])
def test_the_report_of_the_night_opens_from_its_folder(
    made: str, request: pytest.FixtureRequest
) -> None:
    report = request.getfixturevalue(made)[1]
    assert (report / "night" / "index.html").is_file()

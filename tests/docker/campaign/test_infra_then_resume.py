"""An attempt that infrastructure broke at every try is begun again when the run is gone on with."""

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evalkit.serving.scripted import Scripted, scripted_server
from tests.docker.cli.conftest import Evalkit
from tests.doubles.solver import endpoint, solves, tasks

TASK, TRIES = "leap-years", 4
pytestmark = pytest.mark.row("G9")


class Resumed(NamedTuple):
    folder: Path
    broke: "subprocess.CompletedProcess[str]"
    resumed: "subprocess.CompletedProcess[str]"

    def results(self) -> list[dict[str, Any]]:
        lines = (self.folder / "results.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def resumed(evalkit: Evalkit, tmp_path_factory: pytest.TempPathFactory) -> Resumed:
    """A model that refuses every turn, which takes a while of tries, and then one that works."""
    folder = tmp_path_factory.mktemp("infra") / "run"
    run = ("run", *tasks(TASK), "-o", str(folder))
    script = [Scripted(text="hi"), *[Scripted(status=418, text="broken")] * TRIES]
    with scripted_server(script) as url:
        broke = evalkit(*run, *endpoint(url))
    with scripted_server(solves()) as url:
        return Resumed(folder, broke, evalkit(*run, *endpoint(url), "--resume"))


def test_an_engine_that_fails_is_an_infra_error_and_exit_3(resumed: Resumed) -> None:
    assert (resumed.broke.returncode, "infra_error" in resumed.broke.stdout) == (3, True)


def test_the_attempt_is_resolved_when_the_run_is_gone_on_with(resumed: Resumed) -> None:
    assert resumed.results()[-1]["outcome"] == "resolved", resumed.resumed.stderr


def test_the_resumed_run_ends_well(resumed: Resumed) -> None:
    assert resumed.resumed.returncode == 0


def test_every_try_has_its_line_and_its_number(resumed: Resumed) -> None:
    assert [one["retry"] for one in resumed.results()] == list(range(TRIES + 1))


def test_every_broken_try_keeps_its_folder(resumed: Resumed) -> None:
    kept = (resumed.folder / "tasks" / TASK).iterdir()
    assert sorted(path.name for path in kept) == ["1", *(f"1.{n + 1}" for n in range(TRIES))]


def test_the_score_counts_the_attempt_once(resumed: Resumed) -> None:
    assert "1 of 1" in resumed.resumed.stdout

"""An endpoint that fails for good in the middle of a run: the run ends, and nothing is a zero."""

import json
import subprocess
from pathlib import Path

import pytest

from evalkit.serving.scripted import Scripted, scripted_server
from evalkit.types import ToolCall
from tests.docker.cli.conftest import Evalkit

LOOK = ToolCall(id="1", name="bash", arguments=json.dumps({"command": "ls"}))
BROKEN = [Scripted(status=500, text="CUDA error")] * 100

Ended = tuple[Path, "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def ended(evalkit: Evalkit, folder: Path) -> Ended:
    with scripted_server([Scripted(text="hi"), Scripted(tool_calls=(LOOK,)), *BROKEN]) as url:
        done = evalkit(
            *("run", "--suite", "quickstart", "-i", "leap-years", "-k", "2", "-w", "1"),
            *("--endpoint", url, "--model", "scripted", "-o", str(folder)),
            *("--set", "agent.tool_format=native", "--set", "agent.prompt=default"),
            *("--set", "engine.restarts=1"),
        )
    return folder, done


def test_the_run_ends_as_an_infrastructure_failure(ended: Ended) -> None:
    assert ended[1].returncode == 3, ended[1].stderr


def test_it_says_what_became_of_the_engine(ended: Ended) -> None:
    assert "the engine is gone, and the run cannot go on" in ended[1].stderr


@pytest.mark.row("F5")
def test_no_attempt_is_counted_against_the_model(ended: Ended) -> None:
    results = ended[0] / "results.jsonl"
    assert not results.exists() or not results.read_text()


def test_no_further_attempt_is_begun(ended: Ended) -> None:
    events = (ended[0] / "events.jsonl").read_text().splitlines()
    begun = [event for event in map(json.loads, events) if event["kind"] == "rollout"]
    assert len(begun) == 1

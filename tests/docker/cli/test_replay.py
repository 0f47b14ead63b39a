"""A run is done again from its folder: other containers, no model, the same patches and verdicts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evalkit.serving.scripted import Scripted, scripted_server
from evalkit.types import ToolCall
from tests.docker.cli.conftest import Evalkit

FIX = "sed -i 's/year % 100 != 0/(year % 100 != 0 or year % 400 == 0)/' $(git ls-files '*.py')"
SPOIL = "cd .. && printf '\\0\\377' > $OLDPWD/blob && cd - && mkdir -p new && echo x > new/file"
TASKS = ("-i", "leap-years", "-i", "celsius-formula")


def call(name: str, **arguments: object) -> Scripted:
    return Scripted(tool_calls=(ToolCall(id="1", name=name, arguments=json.dumps(arguments)),))


def answer(body: Mapping[str, Any]) -> Scripted:
    """Answer each task by its own script, however the rollouts are interleaved."""
    leap = "leap" in json.dumps(body["messages"][:2])
    script = [call("bash", command="date +%N"), call("bash", command=FIX if leap else SPOIL)]
    asked = sum(message["role"] == "assistant" for message in body["messages"])
    return script[asked] if asked < len(script) else call("submit")


Folders = tuple[Path, Path]


@pytest.fixture(scope="module")
def folders(evalkit: Evalkit, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    then, now = (tmp_path_factory.mktemp("runs") / name for name in ("then", "now"))
    run = ("run", "--suite", "quickstart", *TASKS, "-k", "2")
    native = ("--set", "agent.tool_format=native", "--set", "agent.prompt=default")
    with scripted_server(answer) as url:
        made = evalkit(*run, "-o", str(then), "--endpoint", url, "--model", "scripted", *native)
    assert made.returncode == 0, made.stderr
    done = evalkit(*run, "-o", str(now), "--agent", f"replay:{then}")
    assert done.returncode == 0, done.stderr
    return then, now


def column(folder: Path, *keys: str) -> list[list[object]]:
    lines = (folder / "results.jsonl").read_text().splitlines()
    return sorted([[json.loads(line)[key] for key in keys] for line in lines], key=repr)


def test_the_patches_are_the_same_to_the_byte(folders: Folders) -> None:
    then, now = (column(folder, "task_id", "attempt", "patch_sha256") for folder in folders)
    assert now == then


def test_the_patches_are_of_different_tasks(folders: Folders) -> None:
    assert len({str(one) for one in column(folders[1], "patch_sha256")}) == 2


def test_the_outcomes_are_the_same(folders: Folders) -> None:
    then, now = (column(folder, "task_id", "outcome", "stop", "turns") for folder in folders)
    assert now == then


def test_what_differs_is_the_clock(folders: Folders) -> None:
    text = (folders[1] / "tasks/leap-years/1/trajectory.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    differing = [line["arguments"]["command"] for line in lines if "recorded" in line]
    (stop,) = (line for line in lines if line["kind"] == "stop")
    assert (differing, stop["differing"]) == (["date +%N"], 1)


def test_the_score_is_the_recorded_models(folders: Folders) -> None:
    then, now = (json.loads((folder / "run.json").read_text()) for folder in folders)
    assert (now["model"], now["replayed"]["run_id"]) == (then["model"], then["run_id"])


def test_attempts_that_were_not_recorded_are_refused(
    evalkit: Evalkit, folders: Folders, tmp_path: Path
) -> None:
    again = ("run", "--suite", "quickstart", "-o", str(tmp_path / "run"))
    done = evalkit(*again, "--agent", f"replay:{folders[0]}")
    assert (done.returncode, "6 of 8 attempts" in done.stderr) == (2, True)

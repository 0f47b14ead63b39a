"""The whole way with a scripted engine: rollout, patch, grading, results, and every way out."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.cli.wiring import environment
from evalkit.sandbox.daemon import connect
from evalkit.serving.scripted import Scripted, scripted_server
from evalkit.types import ToolCall
from tests.docker.cli.conftest import Evalkit

FIX = "sed -i 's/year % 100 != 0/(year % 100 != 0 or year % 400 == 0)/' $(git ls-files '*.py')"


def call(name: str, **arguments: object) -> Scripted:
    return Scripted(tool_calls=(ToolCall(id="1", name=name, arguments=json.dumps(arguments)),))


def endpoint(url: str) -> list[str]:
    return ["--endpoint", url, "--model", "scripted", "--set", "agent.tool_format=native",
            "--set", "agent.prompt=default"]  # fmt: skip


@pytest.fixture(scope="module")
def solved(evalkit: Evalkit, folder: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    script = [Scripted(text="hi"), call("bash", command=FIX), call("submit")]
    with scripted_server(script) as url:
        done = evalkit(
            *("run", "--suite", "quickstart", "-i", "leap-years", "-o", str(folder)),
            *endpoint(url),
        )
    return folder, done


Solved = tuple[Path, "subprocess.CompletedProcess[str]"]


def result(solved: Solved) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((solved[0] / "results.jsonl").read_text())
    return found


def test_a_fix_through_the_shell_is_resolved(solved: Solved) -> None:
    assert result(solved)["outcome"] == "resolved", solved[1].stderr


def test_the_patch_is_in_the_run_folder(solved: Solved) -> None:
    patch = (solved[0] / "tasks/leap-years/1/patch.diff").read_text()
    assert "+    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)" in patch


def test_the_trajectory_holds_every_turn(solved: Solved) -> None:
    text = (solved[0] / "tasks/leap-years/1/trajectory.jsonl").read_text()
    assert [json.loads(line)["kind"] for line in text.splitlines()].count("turn") == 2


def test_tokens_add_up_to_the_engines_counter(solved: Solved) -> None:
    (one,) = json.loads((solved[0] / "run.json").read_text())["engine"]["incarnations"]
    assert one["counter"]["completion_tokens"] == one["received_then"]


def test_the_tokens_of_its_turns_are_those_of_the_result(solved: Solved) -> None:
    (one,) = json.loads((solved[0] / "run.json").read_text())["engine"]["incarnations"]
    assert result(solved)["completion_tokens"] == one["received"]["turns"]["completion_tokens"]


def test_the_key_is_nowhere_in_the_run_folder(evalkit: Evalkit, tmp_path: Path) -> None:
    with scripted_server([Scripted(text="hi"), call("bash", command="env"), call("submit")]) as url:
        evalkit(
            *("run", "--suite", "quickstart", "-i", "leap-years", "-o", str(tmp_path / "run")),
            *endpoint(url),
            extra={"EVALKIT_API_KEY": "sk-canary-9137"},
        )
    texts = [path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert not any(b"sk-canary-9137" in text for text in texts)


@pytest.mark.row("F9")
def test_the_patch_so_far_is_graded_where_the_context_is_full(
    evalkit: Evalkit, tmp_path: Path
) -> None:
    full = Scripted(status=400, text="This model's maximum context length is 16384 tokens.")
    with scripted_server([Scripted(text="hi"), call("bash", command=FIX), full]) as url:
        evalkit(
            *("run", "--suite", "quickstart", "-i", "leap-years", "-o", str(tmp_path / "run")),
            *endpoint(url),
        )
    found = json.loads((tmp_path / "run" / "results.jsonl").read_text())
    assert (found["stop"], found["outcome"]) == ("context_limit", "resolved")


def test_an_unknown_model_at_the_endpoint_is_told(evalkit: Evalkit, tmp_path: Path) -> None:
    with scripted_server([]) as url:
        done = evalkit(
            *("run", "--suite", "quickstart", "-o", str(tmp_path / "run")),
            *("--endpoint", url, "--model", "other"),
        )
    assert (done.returncode, "it serves scripted" in done.stderr) == (3, True)


def containers_of(run_folder: Path) -> int:
    run_id = json.loads((run_folder / "run.json").read_text())["run_id"]
    return len(connect().containers(all=True, filters={"label": f"evalkit.run={run_id}"}))


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """A run under way whose model never comes to an end."""
    folder = tmp_path / "run"
    with scripted_server(lambda _: call("bash", command="sleep 0.2")) as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "evalkit", "run", "--suite", "quickstart",
             "-o", str(folder), *endpoint(url)],
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not list(folder.glob("tasks/*/1/trajectory.jsonl")):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield process, folder
        process.kill()
        process.communicate()


Endless = tuple["subprocess.Popen[str]", Path]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_with_its_code(
    endless: Endless, number: signal.Signals, code: int
) -> None:
    os.kill(endless[0].pid, number)
    assert endless[0].wait(30) == code


def test_a_stopped_run_leaves_no_container(endless: Endless) -> None:
    os.kill(endless[0].pid, signal.SIGINT)
    endless[0].wait(30)
    assert containers_of(endless[1]) == 0


def test_clean_removes_what_a_killed_run_left(endless: Endless, evalkit: Evalkit) -> None:
    endless[0].kill()
    endless[0].wait()
    evalkit("clean")
    assert containers_of(endless[1]) == 0


def test_clean_leaves_a_living_run_alone(endless: Endless, evalkit: Evalkit) -> None:
    evalkit("clean")
    assert containers_of(endless[1]) > 0

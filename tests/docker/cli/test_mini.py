"""mini-swe-agent on a scripted engine and in real containers."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evalkit.serving.scripted import Scripted, scripted_server
from evalkit.types import ToolCall
from tests.docker.cli.conftest import Evalkit

FIX = "sed -i 's/year % 100 != 0/(year % 100 != 0 or year % 400 == 0)/' $(git ls-files '*.py')"
COMMANDS = [
    "cd / && export LOST=1 && exit 7",
    "echo lost=${LOST-} in $PWD; sleep 60 & echo left",
    f"{FIX} && touch scratch",
    "git diff -- $(git diff --name-only) > patch.txt",
    "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat patch.txt",
]
SLOW = ["echo begun; sleep 60", "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"]


def bash(command: str) -> Scripted:
    call = ToolCall(id="1", name="bash", arguments=json.dumps({"command": command}))
    return Scripted(tool_calls=(call,))


@pytest.fixture(scope="module")
def asked() -> list[Mapping[str, Any]]:
    return []


@pytest.fixture(scope="module")
def run(evalkit: Evalkit, folder: Path, asked: list[Mapping[str, Any]]) -> Path:
    left = iter([Scripted(text="hi"), *map(bash, COMMANDS)])

    def answer(body: Mapping[str, Any]) -> Scripted:
        asked.append(body)
        return next(left)

    home = folder.parent / "home"
    home.mkdir()
    with scripted_server(answer) as url:
        done = evalkit(
            *("run", "--suite", "quickstart", "-i", "leap-years", "-o", str(folder)),
            *("--agent", "mini-swe-agent", "--endpoint", url, "--model", "scripted"),
            extra={"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")},
        )
    assert done.returncode == 0, done.stderr
    return folder


def result(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "results.jsonl").read_text())
    return found


def observations(run: Path, kind: str = "tool") -> list[str]:
    text = (run / "tasks/leap-years/1/trajectory.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    return [line["observation"] for line in lines if line["kind"] == kind]


def test_what_it_submits_resolves_the_task(run: Path) -> None:
    assert (result(run)["outcome"], result(run)["stop"]) == ("resolved", "submitted")


def test_what_it_did_not_put_into_its_patch_is_not_in_it(run: Path) -> None:
    patch = (run / "tasks/leap-years/1/patch.diff").read_text()
    assert ("scratch" in patch, patch.count("diff --git")) == (False, 1)


def test_an_exit_code_is_shown(run: Path) -> None:
    assert observations(run)[0].startswith("<returncode>7</returncode>")


def test_nothing_of_a_command_reaches_the_next(run: Path) -> None:
    assert re.search(r"lost= in /.+\nleft\n", observations(run)[1])


def test_turns_are_counted(run: Path) -> None:
    assert result(run)["turns"] == len(COMMANDS)


def test_tokens_add_up_to_the_engines_counter(run: Path) -> None:
    (one,) = json.loads((run / "run.json").read_text())["engine"]["incarnations"]
    assert one["counter"]["completion_tokens"] == one["received_then"]


def test_the_tokens_of_its_turns_are_those_of_the_result(run: Path) -> None:
    (one,) = json.loads((run / "run.json").read_text())["engine"]["incarnations"]
    assert result(run)["completion_tokens"] == one["received"]["turns"]["completion_tokens"]


def test_the_engine_is_offered_its_one_tool(run: Path, asked: list[Mapping[str, Any]]) -> None:
    names = [[tool["function"]["name"] for tool in body["tools"]] for body in asked[1:]]
    assert names == [["bash"]] * len(COMMANDS)


def test_nothing_is_written_to_the_users_home(run: Path) -> None:
    home = run.parent / "home"
    assert [path.name for path in home.rglob("*") if "mini" in path.name] == []


def test_a_command_ends_at_its_timeout_with_what_it_printed(
    evalkit: Evalkit, tmp_path: Path
) -> None:
    with scripted_server([Scripted(text="hi"), *map(bash, SLOW)]) as url:
        evalkit(
            *("run", "--suite", "quickstart", "-i", "leap-years", "-o", str(tmp_path / "run")),
            *("--agent", "mini-swe-agent", "--endpoint", url, "--model", "scripted"),
            *("--set", "agent.command_timeout_s=2"),
        )
    seen = observations(tmp_path / "run")[0]
    assert ("timed out after 2" in seen, "begun" in seen) == (True, True)

"""Calls that no tool can take: from the wire to the agent, and what the model hears of them."""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from evalkit.agents.prompt import Prompt
from evalkit.agents.tools import ToolAgent
from evalkit.config.runner import AgentConfig, RolloutLimits, Sampling
from evalkit.protocols import Message
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.scripted import Scripted, scripted_server
from evalkit.types import StopReason, ToolCall
from tests.doubles.local_sandbox import local_sandbox
from tests.doubles.tasks import make_task

SUBMIT = Scripted(tool_calls=(ToolCall(id="s", name="submit", arguments="{}"),))


def call(name: str, arguments: str = '{"command": "true"}', id: str = "a") -> ToolCall:  # noqa: A002
    return ToolCall(id=id, name=name, arguments=arguments)


def heard(folder: Path, first: Scripted) -> list[Message]:
    """Return the messages that the model was sent after its first answer, that one included."""
    bodies: list[Mapping[str, Any]] = []

    def answer(body: Mapping[str, Any]) -> Scripted:
        bodies.append(body)
        return SUBMIT if len(bodies) > 1 else first

    with (
        scripted_server(answer) as url,
        closing(OpenAIChat(url, "scripted", Sampling())) as model,
    ):
        agent = ToolAgent(
            model=model,
            prompt=Prompt.load("default"),
            config=AgentConfig(),
            limits=RolloutLimits(),
            stopping=Event(),
        )
        task = make_task(workdir=str(folder))
        done = agent.solve(task, 1, lambda: local_sandbox(folder), lambda _: None)
    assert done.stop is StopReason.SUBMITTED
    messages: list[Message] = bodies[1]["messages"]
    return messages[len(bodies[0]["messages"]) :]


@pytest.mark.row("F8")
def test_an_unknown_tool_is_answered_with_those_there_are(tmp_path: Path) -> None:
    *_, answer = heard(tmp_path, Scripted(tool_calls=(call("python"),)))
    assert "unknown tool 'python'; the tools are bash" in str(answer["content"])


@pytest.mark.row("F8")
def test_an_argument_of_a_megabyte_reaches_its_tool(tmp_path: Path) -> None:
    """An editor's, for a command of that length is more than a kernel takes."""
    text = "x" * 2**20
    arguments = {"command": "create", "path": str(tmp_path / "large"), "file_text": text}
    heard(tmp_path, Scripted(tool_calls=(call("str_replace_editor", json.dumps(arguments)),)))
    assert (tmp_path / "large").read_text() == text


def test_a_call_without_a_name_is_one_of_an_unknown_tool(tmp_path: Path) -> None:
    *_, answer = heard(tmp_path, Scripted(tool_calls=(call(""),)))
    assert "unknown tool ''" in str(answer["content"])


HALVES = ['{"command": "l', "[1]", "7"]


@pytest.mark.parametrize("arguments", HALVES)
def test_arguments_that_are_no_object_are_answered(tmp_path: Path, arguments: str) -> None:
    half = Scripted(tool_calls=(call("bash", arguments),), finish_reason="length")
    *_, answer = heard(tmp_path, half)
    assert "the arguments are not" in str(answer["content"])


@pytest.mark.parametrize("arguments", [*HALVES, ""])
def test_an_engine_gets_no_arguments_back_that_it_would_refuse(
    tmp_path: Path, arguments: str
) -> None:
    spoken, _ = heard(tmp_path, Scripted(tool_calls=(call("bash", arguments),)))
    calls: Any = spoken["tool_calls"]
    assert json.loads(calls[0]["function"]["arguments"]) == {}


def test_calls_with_one_id_are_answered_each_by_its_own(tmp_path: Path) -> None:
    twice = Scripted(tool_calls=(call("bash"), call("bash")))
    spoken, *answers = heard(tmp_path, twice)
    calls: Any = spoken["tool_calls"]
    assert [one["id"] for one in calls] == [one["tool_call_id"] for one in answers] == ["a", "a_1"]

"""Calls in what a model said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.agents.calls import read_calls
from evalkit.types import Reply, ToolCall


def fenced(text: str) -> list[tuple[str, bool]]:
    calls = read_calls(Reply(text=text), fenced=True)
    return [(call.name, call.arguments is not None) for call in calls]


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"name": "bash", "arguments": {"command": "ls"}}\n```',
        '```\n{"name": "bash", "arguments": {"command": "ls"}}\n```',
        '{"name": "bash", "arguments": {"command": "ls"}}',
        '<tool_call>\n{"name": "bash", "arguments": {"command": "ls"}}\n</tool_call>',
        '```json\n{"name": "bash", "arguments": {"command": "a\nb"}}\n```',
    ],
)
def test_a_call_is_read_from(text: str) -> None:
    assert fenced(text) == [("bash", True)]


def test_output_in_a_fence_is_no_call() -> None:
    assert fenced("```\nls\n```\n```text\n{}\n```") == []


def test_a_python_block_is_a_call_of_rewrite() -> None:
    assert fenced("So:\n```python\ndef f():\n    pass\n```") == [("rewrite", True)]


def test_a_block_that_was_cut_off_is_read_to_its_end() -> None:
    assert fenced("```python\ndef f():") == [("rewrite", True)]


def test_two_blocks_are_two_calls() -> None:
    block = '```json\n{"name": "submit", "arguments": {}}\n```\n'
    assert fenced(block * 2) == [("submit", True)] * 2


def test_a_block_that_is_nearly_a_call_is_kept_with_its_problem() -> None:
    assert fenced('```json\n{"name": "bash", "arguments": {"command": "ls}\n```') == [("", False)]


def test_text_is_not_searched_for_calls_in_the_native_format() -> None:
    text = '```json\n{"name": "bash", "arguments": {}}\n```'
    assert read_calls(Reply(text=text), fenced=False) == []


@given(st.text())
def test_any_text_is_read_without_a_crash(text: str) -> None:
    assert isinstance(read_calls(Reply(text=f"```json\n{text}\n```"), fenced=True), list)


def nested(depth: int) -> str:
    return '{"command": ' + "[" * depth + "]" * depth + "}"


NESTED = [nested(200), nested(10_000), '{"command": ' + "[" * 10_000]
"""What a model says that falls into repeating itself; deeper than can be written down, or read."""


@pytest.mark.parametrize("arguments", NESTED)
def test_a_call_nested_too_deeply_is_malformed(arguments: str) -> None:
    native = ToolCall(id="a", name="bash", arguments=arguments)
    (call,) = read_calls(Reply(text="", tool_calls=(native,)), fenced=False)
    assert (call.arguments, "nested too deeply" in call.problem) == (None, True)


@pytest.mark.parametrize("arguments", NESTED)
def test_a_block_nested_too_deeply_is_malformed(arguments: str) -> None:
    assert fenced(f'{{"name": "bash", "arguments": {arguments}}}') == [("", False)]

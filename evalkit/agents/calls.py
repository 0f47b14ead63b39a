"""From what a model said to calls: native ones, or fenced blocks for small models.

A fenced call is a JSON block with `name` and `arguments`; a Python block is a call of `rewrite`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from evalkit.types import Reply, ToolCall

_FENCE = re.compile(r"```(\w*)[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_TAG = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)

_DEEPEST = 100
"""A model that falls into repeating itself opens brackets without end."""


class ToolError(Exception):
    """Why a call came to nothing, in words the model can act on."""


class MalformedCallError(ToolError):
    """The call cannot be carried out as it was written: its form is wrong, not what it asks."""


@dataclass(frozen=True)
class Call:
    """One call: `arguments` is None where `problem` says what is wrong with it."""

    id: str
    name: str
    arguments: Mapping[str, Any] | None
    problem: str = ""


def read_calls(reply: Reply, *, fenced: bool) -> list[Call]:
    """Return the calls of one reply in order; malformed ones are kept, with their problem."""
    if reply.tool_calls:
        return [_native(call) for call in reply.tool_calls]
    return _fenced(reply.text) if fenced else []


def _native(call: ToolCall) -> Call:
    try:
        arguments = _parsed(call.arguments or "{}")
    except ValueError as error:
        return Call(call.id, call.name, None, f"the arguments are not JSON: {error}")
    if not isinstance(arguments, dict):
        return Call(call.id, call.name, None, "the arguments are not a JSON object")
    return Call(call.id, call.name, arguments)


def _fenced(text: str) -> list[Call]:
    blocks = _FENCE.findall(text) or [("json", block) for block in _TAG.findall(text)]
    if not blocks and text.lstrip().startswith("{"):
        blocks = [("json", text)]
    found = [
        _block(str(number), language, block) for number, (language, block) in enumerate(blocks)
    ]
    return [call for call in found if call is not None]


def _block(call_id: str, language: str, block: str) -> Call | None:
    """Read a block as a call; None for a block that is no attempt at one, such as output."""
    if language == "python":
        return Call(call_id, "rewrite", {"code": block})
    if not block.lstrip().startswith("{"):
        return None
    try:
        data = _parsed(block, strict=False)
    except ValueError as error:
        if '"name"' not in block:
            return None
        return Call(call_id, "", None, f"the block is not valid JSON: {error}")
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        return None
    arguments = data.get("arguments", {})
    if not isinstance(arguments, dict):
        return Call(call_id, data["name"], None, "`arguments` is not a JSON object")
    return Call(call_id, data["name"], arguments)


def _parsed(text: str, *, strict: bool = True) -> Any:
    """Read JSON. ValueError also where it is nested deeper than could be written down again."""
    too_deep = ValueError("nested too deeply")
    try:
        data = json.loads(text, strict=strict)
    except RecursionError as error:
        raise too_deep from error
    level = [data]
    for _ in range(_DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return data
    raise too_deep


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def as_sent(reply: Reply) -> list[JsonValue]:
    """Return the native calls of a reply as a conversation holds them.

    Arguments that are no JSON object become an empty one: SGLang 0.5.23 refuses a conversation
    that holds others (entrypoints/openai/serving_chat.py), vLLM 0.32 puts the same in their place.
    """
    return [
        {
            "id": call.id,
            "type": "function",
            "function": {
                "name": call.name,
                "arguments": "{}" if _native(call).problem else call.arguments or "{}",
            },
        }
        for call in reply.tool_calls
    ]


def text_of(arguments: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """Return a text argument, required where there is no default. Raises MalformedCallError."""
    value = arguments.get(name, default)
    if not isinstance(value, str):
        required = "is required and " if default is None else ""
        raise MalformedCallError(f"`{name}` {required}must be a string")
    return value


def checked(call: Call, parameters: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return a call's arguments, those left out that are null.

    `parameters` is the JSON schema that the model was given: what it requires must be there, and
    nothing that it does not name. Raises MalformedCallError.
    """
    if call.arguments is None:
        raise MalformedCallError(call.problem)
    arguments = {name: value for name, value in call.arguments.items() if value is not None}
    if parameters is None:
        return arguments
    known = parameters.get("properties", {})
    if missing := [name for name in parameters.get("required", ()) if name not in arguments]:
        raise MalformedCallError(f"{_quoted(missing)} is required for {call.name}")
    if unknown := [name for name in arguments if name not in known]:
        takes = f"takes {_quoted(known)}" if known else "takes no argument"
        raise MalformedCallError(f"{call.name} has no argument {_quoted(unknown)}; it {takes}")
    return arguments


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)

"""What every contender does: turns of one answer and one command, in a conversation that grows.

Standard library only: the contenders live in environments of their own.
"""

import json
from typing import Any

TURNS = 50
"""With the two messages that open it, a conversation of 100 messages when the last turn is asked."""

MODEL = "scripted"
TOKENS = 150
CHUNK = 8
"""Tokens to an event, as `vllm serve --stream-interval 8` sends them."""
_CHARS = 4 * CHUNK
"""About what eight tokens of English and shell hold."""

TEXT = (
    "The failing check points at the way the input is read, so before anything is changed I look at "
    "the text that it was made from once more. The part that matters is the beginning: if the header "
    "differs from what the parser expects, then the rest follows from it, and the change belongs into "
    "the reader and not into the check. I print the first lines and compare them with what the issue "
    "shows, then decide where to edit, and run it.  "
)
# On every Debian system; with the answer, two messages of 1.5 KB on the average.
COMMAND = (
    "head -c 2200 /usr/share/common-licenses/GPL-2"
    "  # the beginning is enough here: the header, its version and the first of its sections are seen"
)
ARGUMENTS = json.dumps({"command": COMMAND})

_CALL = {"id": "call-0001", "type": "function", "function": {"name": "bash"}}
_USAGE = {"prompt_tokens": 20000, "completion_tokens": TOKENS, "total_tokens": 20000 + TOKENS}


def whole() -> bytes:
    """Return the answer as one JSON object."""
    call = {**_CALL, "function": {"name": "bash", "arguments": ARGUMENTS}}
    message = {"role": "assistant", "content": TEXT, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    body = {**_envelope("chat.completion"), "choices": [choice], "usage": _USAGE}
    return json.dumps(body).encode()


def events(*, counting: bool) -> list[bytes]:
    """Return the answer as server-sent events; `counting` puts the usage so far into each."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in _pieces(TEXT)]
    for number, piece in enumerate(_pieces(ARGUMENTS)):
        call = {"index": 0, "function": {"arguments": piece}}
        if number == 0:
            call |= {**_CALL, "function": {"name": "bash", "arguments": piece}}
        deltas.append({"tool_calls": [call]})
    chunks = [_chunk(delta, None) for delta in deltas] + [_chunk({}, "tool_calls")]
    if counting:
        for number, chunk in enumerate(chunks):
            chunk["usage"] = {**_USAGE, "completion_tokens": min(TOKENS, number * CHUNK)}
    chunks.append({**_envelope("chat.completion.chunk"), "choices": [], "usage": _USAGE})
    return [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks] + [b"data: [DONE]\n\n"]


def token_chunks() -> int:
    """Return how many events of an answer hold tokens."""
    return len(_pieces(TEXT)) + len(_pieces(ARGUMENTS))


def _pieces(text: str) -> list[str]:
    return [text[at : at + _CHARS] for at in range(0, len(text), _CHARS)]


def _chunk(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {**_envelope("chat.completion.chunk"), "choices": [choice]}


def _envelope(kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-0123456789abcdef",
        "object": kind,
        "created": 1700000000,
        "model": MODEL,
    }

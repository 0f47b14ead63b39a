"""A model turn as a line of trajectory.jsonl."""

from evalkit.protocols import Message
from evalkit.types import Reply


def turn_line(number: int, started: float, reply: Reply) -> Message:
    """Say all of an answer; `started` is in Unix seconds. `replay` and the figures read it."""
    return {
        "kind": "turn",
        "turn": number,
        "t0": started,
        "t1": started + reply.total_s,
        "ttft_s": reply.ttft_s,
        "finish_reason": reply.finish_reason,
        "usage": reply.usage.model_dump(),
        "text": reply.text,
        "tool_calls": [call.model_dump() for call in reply.tool_calls],
    }

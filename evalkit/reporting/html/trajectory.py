"""A trajectory, step by step, whatever its lines hold."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.reporting.host_paths import without_host_paths
from evalkit.reporting.html.text import NOTHING, Excerpt, excerpt
from evalkit.store.lines import Damaged, json_lines

MOST_OUTPUT = 16_000
"""Characters of one output; as many as an agent is shown unless its runner says otherwise."""
_MOST_TEXT = 60_000
_MOST_NUMBER = 2.0**53
"""No time and no count is beyond it, and neither infinity nor NaN is below it."""
_UNITS = (("ttft_s", "first token after"), ("lost_s", "lost to the engine"))


@dataclass
class Call:
    """A tool call with its answer; None where none came."""

    name: str
    arguments: list[tuple[str, Excerpt]]
    seconds: float | None = None
    output: Excerpt | None = None


@dataclass
class Step:
    """A message, a turn of the model, or a note of the harness (`kind`)."""

    kind: str
    title: str
    number: int | None = None
    """Of a turn."""
    facts: list[str] = field(default_factory=list)
    text: Excerpt = NOTHING
    asked: list[Call] = field(default_factory=list)
    """Calls as the model wrote them; shown where no answer is."""
    calls: list[Call] = field(default_factory=list)


def steps(path: Path, damaged: Damaged) -> Iterator[Step]:
    """Yield the steps of a trajectory.jsonl; `damaged` is told of lines that are none."""
    turn: Step | None = None
    for _, line in json_lines(path, damaged):
        kind = line.get("kind")
        if kind == "rollout":  # told at the top of the page
            continue
        if kind == "tool":
            if turn is None:
                turn = Step("turn", "Before the first turn")
            turn.calls.append(_call(line))
            continue
        if turn is not None:
            yield turn
        turn = None
        if kind == "turn":
            turn = _turn(line)
        elif kind == "message":
            yield Step("message", words(line.get("role")), text=_text(line.get("content")))
        else:
            yield _note(line)
    if turn is not None:
        yield turn


def words(value: object) -> str:
    """Return a value as text: a string as it is, nothing as nothing, all else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def number(value: object) -> float | None:
    """Return a finite number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < _MOST_NUMBER else None


def duration(seconds: float) -> str:
    """Return seconds as text, in minutes from ten of them on."""
    return f"{seconds:,.1f} s" if seconds < 600 else f"{seconds / 60:,.1f} min"


def _text(value: object) -> Excerpt:
    return excerpt(words(value), _MOST_TEXT)


def _turn(line: Mapping[str, Any]) -> Step:
    told = number(line.get("turn"))
    calls = line.get("tool_calls")
    return Step(
        "turn",
        "Turn" if told is not None else "A turn without its number",
        number=None if told is None else int(told),
        facts=list(_facts(line)),
        text=_text(line.get("text")),
        asked=[_asked(call) for call in calls if isinstance(call, dict)]
        if isinstance(calls, list)
        else [],
    )


def _facts(line: Mapping[str, Any]) -> Iterator[str]:
    began, ended = number(line.get("t0")), number(line.get("t1"))
    if began is not None and ended is not None:
        yield duration(ended - began)
    for key, what in _UNITS:
        seconds = number(line.get(key))
        if seconds is not None and seconds >= 0.05:
            yield f"{what} {duration(seconds)}"
    usage = line.get("usage")
    if isinstance(usage, dict):
        prompt, cached, made = (
            int(number(usage.get(f"{name}_tokens")) or 0)
            for name in ("prompt", "cached", "completion")
        )
        yield f"{prompt:,} tokens in" + (f" ({cached:,} cached)" if cached else "")
        yield f"{made:,} out"
    reason = words(line.get("finish_reason"))
    if reason not in {"", "stop", "tool_calls"}:
        yield reason.replace("_", " ")


def _asked(call: Mapping[str, Any]) -> Call:
    try:
        arguments = json.loads(words(call.get("arguments")))
    except (ValueError, RecursionError):
        arguments = call.get("arguments")
    return Call(words(call.get("name")), _arguments(arguments))


def _call(line: Mapping[str, Any]) -> Call:
    return Call(
        name=words(line.get("name")),
        arguments=_arguments(line.get("arguments")),
        seconds=number(line.get("seconds")),
        output=excerpt(words(line.get("observation")), MOST_OUTPUT),
    )


def _arguments(value: object) -> list[tuple[str, Excerpt]]:
    if isinstance(value, dict):
        return [(str(key), excerpt(words(one), MOST_OUTPUT)) for key, one in value.items()]
    return [("", excerpt(words(value), MOST_OUTPUT))] if value else []


def _note(line: Mapping[str, Any]) -> Step:
    if line.get("kind") == "stop":
        return Step("note", "The rollout ended: " + words(line.get("reason")).replace("_", " "))
    if line.get("kind") == "fault":
        return Step("note", "Fault: " + without_host_paths(words(line.get("error"))))
    return Step("note", words(line.get("kind")) or "A line of no kind", text=_text(dict(line)))

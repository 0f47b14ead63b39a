"""A scripted model that solves tasks of quickstart, however their rollouts are interleaved."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from evalkit.serving.scripted import Script, Scripted
from evalkit.types import ToolCall

FIXES = MappingProxyType(
    {
        "celsius-formula": r"sed -i 's|32) \* 9 / 5|32) * 5 / 9|' degrees/fahrenheit.py",
        "leap-years": "sed -i 's/year % 100 != 0/(year % 100 != 0 or year % 400 == 0)/' "
        "yearly/leap.py",
        "duration-minutes": "sed -i 's/seconds > size/seconds >= size/' durations/formatting.py",
        "nested-intervals": r"sed -i 's/\.start, interval\.end/.start, max(merged[-1].end, "
        r"interval.end)/' spans/intervalset.py",
    }
)
_TOLD_BY = {
    "fahrenheit_to_celsius": "celsius-formula",
    "is_leap_year": "leap-years",
    "format_duration": "duration-minutes",
    "IntervalSet": "nested-intervals",
}


def solves(first: Mapping[str, Sequence[str]] = MappingProxyType({})) -> Script:
    """Answer every task with its fix and the end; each command of `first` comes before, and once."""
    given: set[tuple[str, str]] = set()

    def answer(body: Mapping[str, Any]) -> Scripted:
        task = task_of(body)
        if task is None:
            return Scripted(text="hi")
        done = _commands(body)
        new = [command for command in first.get(task, ()) if (task, command) not in given]
        for command in (*new, FIXES[task]):
            if command not in done:
                given.add((task, command))
                return bash(command)
        return call("submit")

    return answer


def task_of(body: Mapping[str, Any]) -> str | None:
    """Return whose rollout asks; None for the probe of the engine."""
    opening = json.dumps(body["messages"][:2])
    return next((task for word, task in _TOLD_BY.items() if word in opening), None)


def _commands(body: Mapping[str, Any]) -> list[str]:
    """Return the commands that a conversation holds so far."""
    calls = (one for message in body["messages"] for one in message.get("tool_calls") or ())
    return [json.loads(one["function"]["arguments"]).get("command", "") for one in calls]


def call(name: str, **arguments: object) -> Scripted:
    return Scripted(tool_calls=(ToolCall(id="1", name=name, arguments=json.dumps(arguments)),))


def bash(command: str) -> Scripted:
    return call("bash", command=command)


def endpoint(url: str) -> list[str]:
    """Flags for a run that asks a scripted model, as often as it likes."""
    settings = (
        "agent.tool_format=native",
        "agent.prompt=default",
        "limits.turns=300",
        "limits.completion_tokens=null",
    )
    flags = [word for setting in settings for word in ("--set", setting)]
    return ["--endpoint", url, "--model", "scripted", *flags]


def tasks(*names: str, suite: str = "quickstart") -> list[str]:
    """Flags for a run of these tasks of quickstart."""
    return ["--suite", suite, *(word for name in names for word in ("-i", name))]

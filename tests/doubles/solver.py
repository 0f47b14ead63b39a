"""A scripted model that solves tasks of quickstart, however their rollouts are interleaved."""

import json
from collections import Counter
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
    """Answer every task with its fix and the end; before that, at the first try, with `first`."""
    begun: Counter[str] = Counter()

    def answer(body: Mapping[str, Any]) -> Scripted:
        task = task_of(body)
        if task is None:
            return Scripted(text="hi")
        asked = sum(message["role"] == "assistant" for message in body["messages"])
        begun[task] += not asked
        commands = [*(first.get(task, ()) if begun[task] == 1 else ()), FIXES[task]]
        return bash(commands[asked]) if asked < len(commands) else call("submit")

    return answer


def task_of(body: Mapping[str, Any]) -> str | None:
    """Return whose rollout asks; None for the probe of the engine."""
    opening = json.dumps(body["messages"][:2])
    return next((task for word, task in _TOLD_BY.items() if word in opening), None)


def call(name: str, **arguments: object) -> Scripted:
    return Scripted(tool_calls=(ToolCall(id="1", name=name, arguments=json.dumps(arguments)),))


def bash(command: str) -> Scripted:
    return call("bash", command=command)


def endpoint(url: str) -> list[str]:
    """Flags for a run that asks a scripted model."""
    return ["--endpoint", url, "--model", "scripted", "--set", "agent.tool_format=native",
            "--set", "agent.prompt=default"]  # fmt: skip


def tasks(*names: str) -> list[str]:
    """Flags for a run of these tasks of quickstart."""
    return ["--suite", "quickstart", *(word for name in names for word in ("-i", name))]

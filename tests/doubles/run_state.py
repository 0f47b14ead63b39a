"""What stands in a run folder, less times: two runs of the same attempts are alike in it."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.store.lines import has_ended

Attempt = tuple[str, str]
"""A task and the number of an attempt, as they name its folder."""


@dataclass(frozen=True, kw_only=True)
class RunState:
    """All that must not depend on whether, when and how often the run was killed."""

    results: dict[Attempt, dict[str, Any]]
    """The last line of each attempt."""
    lines: Counter[tuple[Attempt, str]]
    """How many each attempt has, by outcome: one for each try that broke, and one for its end."""
    predictions: list[dict[str, Any]]
    files: dict[Attempt, list[str]]


def run_state(folder: Path) -> RunState:
    """Read a run folder; ValueError where a line is no JSON."""
    lines = [(_attempt(line), line) for line in json_file(folder / "results.jsonl")]
    return RunState(
        results={attempt: _without_times(line) for attempt, line in lines},
        lines=Counter((attempt, line["outcome"]) for attempt, line in lines),
        predictions=sorted(json_file(folder / "preds.jsonl"), key=json.dumps),
        files={
            (path.parent.name, path.name): sorted(file.name for file in path.iterdir())
            for path in folder.glob("tasks/*/*")
            if path.name.isdecimal()  # others are tries that were set aside
        },
    )


def torn_files(folder: Path) -> list[Path]:
    """Return the JSONL files that are not JSON, line by line to the end.

    Of a try that was set aside the last line may have been cut off by a kill.
    """
    torn = []
    for path in folder.rglob("*.jsonl"):
        set_aside = path.parent != folder and not path.parent.name.isdecimal()
        lines = path.read_bytes().splitlines(keepends=True)
        if set_aside and lines and not lines[-1].endswith(b"\n"):
            lines.pop()
        if not all(_is_whole(line) for line in lines):
            torn.append(path)
    return torn


def _is_whole(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False


def json_file(path: Path) -> list[dict[str, Any]]:
    """Read a JSONL file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def kept_rollouts(folder: Path) -> set[Attempt]:
    """Return the attempts whose rollout came to its end and was kept."""
    paths = folder.glob("tasks/*/*/trajectory.jsonl")
    return {(path.parents[1].name, path.parent.name) for path in paths if has_ended(path)}


def _attempt(line: dict[str, Any]) -> Attempt:
    return line["task_id"], str(line["attempt"])


def _without_times(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if not key.endswith("_s")}

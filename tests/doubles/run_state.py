"""What stands in a run folder, less times: two runs of the same attempts are alike in it."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Attempt = tuple[str, int]


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
            (path.parent.name, int(path.name)): sorted(file.name for file in path.iterdir())
            for path in folder.glob("tasks/*/*")
            if path.name.isdecimal()  # others are tries that were set aside
        },
    )


def torn_files(folder: Path) -> list[Path]:
    """Return the JSONL files that are not JSON, line by line to the end; of tries set aside too."""
    torn = []
    for path in folder.rglob("*.jsonl"):
        try:
            json_file(path)
        except ValueError:
            torn.append(path)
    return torn


def json_file(path: Path) -> list[dict[str, Any]]:
    """Read a JSONL file; no line is left out, however it ends."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def kept_rollouts(folder: Path) -> set[Attempt]:
    """Return the attempts whose rollout came to its end and was kept."""
    paths = folder.glob("tasks/*/*/rollout.json")
    return {(path.parents[1].name, int(path.parent.name)) for path in paths}


def _attempt(line: dict[str, Any]) -> Attempt:
    return line["task_id"], line["attempt"]


def _without_times(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if not key.endswith("_s")}

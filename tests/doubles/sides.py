"""Sides of a comparison, and run folders that become one."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.reporting.side import Side, Tried
from evalkit.types import Outcome
from tests.doubles.tasks import make_result

R, U, I = Outcome.RESOLVED, Outcome.UNRESOLVED, Outcome.INFRA_ERROR  # noqa: E741


def side(
    name: str, counts: Sequence[tuple[int, int] | tuple[int, int, int]], **changes: Any
) -> Side:
    """Tasks t00, t01, … of eight repositories: (resolved, planned) or (resolved, planned, lost)."""
    tasks = {
        f"t{number:02}": Tried(
            repo=f"r{number % 8}",
            resolved=count[0],
            planned=count[1],
            lost=count[2] if len(count) == 3 else 0,
        )
        for number, count in enumerate(counts)
    }
    fields: dict[str, Any] = {
        "name": name,
        "model": "m",
        "suite": "s",
        "revision": "1",
        "tasks": tasks,
        "task_revisions": dict.fromkeys(tasks, "same"),
    }
    return Side(**(fields | changes))


def write_folder(
    folder: Path, outcomes: Mapping[str, Sequence[Outcome | None]], **manifest: Any
) -> Path:
    """Write a run folder: an outcome an attempt of each task, None for one without a result."""
    facts = {
        "suite": "s",
        "revision": "1",
        "model": "m",
        "selected": list(outcomes),
        "attempts": max(len(ones) for ones in outcomes.values()),
        "task_revisions": ["same"] * len(outcomes),
    }
    results = [
        make_result(task_id=task_id, attempt=number, repo=f"repo/{task_id}", outcome=outcome)
        for task_id, ones in outcomes.items()
        for number, outcome in enumerate(ones, 1)
        if outcome is not None
    ]
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(facts | manifest), encoding="utf-8")
    lines = "".join(result.model_dump_json() + "\n" for result in results)
    (folder / "results.jsonl").write_text(lines, encoding="utf-8")
    return folder


def write_turn(folder: Path, tokens: int, seconds: float) -> None:
    """Add one turn to a run folder's first task."""
    line = {"kind": "turn", "t0": 0, "t1": seconds, "usage": {"completion_tokens": tokens}}
    path = next(iter(json.loads((folder / "run.json").read_text())["selected"]))
    attempt = folder / "tasks" / path / "1"
    attempt.mkdir(parents=True, exist_ok=True)
    (attempt / "trajectory.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")

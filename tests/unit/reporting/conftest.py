"""Run folders as a run leaves them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from evalkit.types import EngineSample, Result

MANIFEST: dict[str, Any] = {
    "suite": "quickstart",
    "revision": "0123456789abcdef",
    "model": "Demo-1B",
    "selected": ["demo", "other"],
    "attempts": 1,
}


class WriteRun(Protocol):
    def __call__(
        self,
        results: Sequence[Result] = (),
        *,
        turns: Sequence[Mapping[str, Any]] = (),
        samples: Sequence[EngineSample] = (),
        **manifest: Any,
    ) -> Path: ...


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """Write a run folder; its turns are all of the first attempt at task `demo`."""

    def write(
        results: Sequence[Result] = (),
        *,
        turns: Sequence[Mapping[str, Any]] = (),
        samples: Sequence[EngineSample] = (),
        **manifest: Any,
    ) -> Path:
        (tmp_path / "run.json").write_text(json.dumps(MANIFEST | manifest), encoding="utf-8")
        _write_lines(tmp_path / "results.jsonl", [one.model_dump(mode="json") for one in results])
        _write_lines(tmp_path / "engine.jsonl", [one.model_dump(mode="json") for one in samples])
        attempt = tmp_path / "tasks" / "demo" / "1"
        attempt.mkdir(parents=True)
        _write_lines(attempt / "trajectory.jsonl", turns)
        return tmp_path

    return write


def _write_lines(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def turn(t0: float, t1: float, tokens: int, **more: Any) -> dict[str, Any]:
    """A model turn of a trajectory; tokens of its prompt are among `more`, as its times are."""
    usage: dict[str, Any] = {"completion_tokens": tokens}
    for key in ("prompt_tokens", "cached_tokens"):
        usage[key] = more.pop(key, 0)
    return {"kind": "turn", "t0": t0, "t1": t1, "usage": usage, **more}


@pytest.fixture
def turns() -> list[dict[str, Any]]:
    """Two turns of 100 tokens with 10 idle seconds between them: 20 seconds in all."""
    return [turn(1000, 1005, 30), {"kind": "tool", "seconds": 10}, turn(1015, 1020, 70)]

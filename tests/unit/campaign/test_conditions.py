"""Under which changes a run may be gone on with."""

from typing import Any

import pytest

from evalkit.campaign.conditions import EXTENT, differences
from evalkit.config.runner import load_runner


def manifest(*overrides: str, **changes: Any) -> dict[str, Any]:
    runner = load_runner("quickstart", list(overrides)).model_dump(mode="json")
    return {"suite": "quickstart", "revision": "r", "agent": "tools", "runner": runner} | changes


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (manifest("sampling.temperature=0.5"), ["runner.sampling.temperature: 0.2 -> 0.5"]),
        (manifest("limits.turns=7"), ["runner.limits.turns: 8 -> 7"]),
        (manifest(revision="s"), ["revision: r -> s"]),
        (manifest(agent="mini-swe-agent"), ["agent: tools -> mini-swe-agent"]),
        (manifest(grading=2), ["grading: None -> 2"]),
    ],
)
def test_a_change_that_decides_how_attempts_come_out_is_told(
    now: dict[str, Any], told: list[str]
) -> None:
    assert differences(manifest(), now) == told


@pytest.mark.parametrize(
    "override",
    [
        "concurrency.rollouts=1",
        "concurrency.free_disk_mib=1",
        "images.keep=false",
        "engine.port=8000",
        "engine.stall_s=9",
        "engine.restarts=9",
    ],
)
def test_how_a_run_is_carried_out_may_change(override: str) -> None:
    assert differences(manifest(), manifest(override)) == []


def test_how_many_attempts_there_are_is_told_apart() -> None:
    then, now = manifest(selected=["a"], attempts=1), manifest(selected=["a", "b"], attempts=3)
    assert differences(then, now, EXTENT) == [
        "selected: 1 of them -> 2 of them",
        "attempts: 1 -> 3",
    ]

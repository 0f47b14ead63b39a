"""What a run folder holds is on the disk, names and all, before anybody hears that it is."""

import re
from pathlib import Path

import pytest

from tests.doubles.faults import calls_of

CALLS = ("mkdir", "openat", "rename", "write", "ftruncate", "fsync")
MADE = re.compile(r'\b(?:mkdir\(|openat\(AT_FDCWD\S*, (?=.*O_CREAT))"([^"]+)".*\) = \d')
RENAMED = re.compile(r'\brename\("([^"]+)", "([^"]+)"\) = 0')
CHANGED = re.compile(r"\b(?:write|ftruncate)\(\d+<([^>]+)>.*\) = \d")
SYNCED = re.compile(r"\bfsync\(\d+<([^>]+)>\) += 0")
SAID = re.compile(r'\bwrite\(1<[^>]*>, "([^"]+)\\n"')


def unsynced(calls: list[str], folder: Path) -> dict[str, set[str]]:
    """Return by step, as the writer said them, what could be lost with the power just then."""
    at_risk: set[str] = set()
    steps = {}
    for call in calls:
        if found := SAID.search(call):
            steps[found[1]] = set(at_risk)
        elif found := SYNCED.search(call):
            at_risk.discard(found[1])
        elif found := CHANGED.search(call):
            at_risk.add(found[1])
        elif found := RENAMED.search(call):
            at_risk |= {found[2]} if found[1] in at_risk else set()
            at_risk.add(str(Path(found[2]).parent))
        elif found := MADE.search(call):
            at_risk.add(str(Path(found[1]).parent))
    return {step: {one for one in risk if counts(one, folder)} for step, risk in steps.items()}


def counts(path: str, folder: Path) -> bool:
    """Whether something of the run folder, less what a rename has put in its place."""
    inside = Path(path).is_relative_to(folder.parent)
    return inside and not path.endswith(".new") and Path(path).name != ".lock"


def risks_of(at: Path, *options: str) -> dict[str, set[str]]:
    argv = ["-m", "tests.doubles.writer", str(at / "runs" / "run"), *options]
    return unsynced(calls_of(argv, *CALLS, to=at / "calls"), at / "runs" / "run")


@pytest.fixture(scope="module")
def risks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    return risks_of(tmp_path_factory.mktemp("cut"), "--slow")


def test_with_the_power_nothing_is_lost_that_was_said_to_be_written(
    risks: dict[str, set[str]],
) -> None:
    assert {step: paths for step, paths in risks.items() if paths} == {}


def test_with_the_power_only_events_are_lost_that_came_within_a_second_of_another(
    tmp_path: Path,
) -> None:
    lost = {step: paths for step, paths in risks_of(tmp_path).items() if paths}
    events = {str(tmp_path / "runs" / "run" / "events.jsonl")}
    assert set().union(*lost.values()) <= events
    assert lost.keys() <= {"event b", "rollout b", "finish b"}


def test_each_step_of_the_writer_was_seen(risks: dict[str, set[str]]) -> None:
    assert [step.split()[0] for step in risks] == [
        "run.json",
        *["event", "rollout", "finish"] * 2,
        "closed",
    ]

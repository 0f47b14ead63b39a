"""Runs that are killed two hundred times, whenever it may be, come to what they would have come to.

That is: to the same results, predictions and files; with no attempt ended twice, no line torn, and
no agent asked again for a rollout that was kept.
"""

import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from itertools import count
from pathlib import Path

import pytest

from tests.doubles.run_state import RunState, kept_rollouts, run_state, torn_files
from tests.doubles.sessions import Sessions

KILLS, BATCHES = 50, 4
MOST = 30
"""Kills of one run: one that never ended would be killed for ever."""
ATTEMPTS = 12
LENGTH = ("--tasks=6", "--attempts=2", "--rollout-s=0.01", "--grading-s=0.005")


@dataclass
class Killed:
    """Runs that are killed, and gone on with until each comes to its end."""

    forks: Sessions
    instant_s: Callable[[], float]
    """After so long a session is killed."""
    folders: list[Path] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    finished: Counter[int] = field(default_factory=Counter)
    """How many attempts were finished when a kill came: how often."""

    def kill(self, folder: Path) -> None:
        """Kill a run again and again; where nothing is left to do it is let come to its end."""
        self.folders.append(folder)
        asked = folder.with_name("asked")
        for kills in count():
            kept, before = kept_rollouts(folder), len(lines(asked))
            leave = kills == MOST or finished(folder) == ATTEMPTS
            limit = None if leave else self.instant_s()
            options = (*LENGTH, "--breaks=5", f"--asked={asked}")
            code = self.forks.run(folder, *options, kill_after_s=limit)
            assert code in {0, -9}, self.forks.log.read_text()
            again = [line for line in lines(asked)[before:] if tuple(line.split()) in kept]
            self.wrong += [f"{folder}: asked again for {line}" for line in again]
            if code == 0:
                return
            self.finished[finished(folder)] += 1

    def compare(self, undisturbed: RunState) -> None:
        """Take note of what is otherwise than in an undisturbed run."""
        for folder in self.folders:
            state = run_state(folder)
            self.wrong += [
                f"{folder}: {one.name}"
                for one in fields(state)
                if getattr(state, one.name) != getattr(undisturbed, one.name)
            ]
            self.wrong += [f"{path} is torn" for path in torn_files(folder)]


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def finished(folder: Path) -> int:
    return sum("infra_error" not in line for line in lines(folder / "results.jsonl"))


def life_s(forks: Sessions, folder: Path) -> float:
    begun = time.monotonic()
    assert forks.run(folder, *LENGTH) == 0
    return time.monotonic() - begun


@pytest.fixture(scope="module")
def undisturbed(forks: Sessions, tmp_path_factory: pytest.TempPathFactory) -> RunState:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert forks.run(folder, *LENGTH, "--breaks=5") == 0
    return run_state(folder)


@pytest.fixture(scope="module")
def whole_s(forks: Sessions, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a run lives that nobody disturbs, and of which nothing breaks."""
    folder = tmp_path_factory.mktemp("timed")
    return min(life_s(forks, folder / str(number) / "run") for number in range(3))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_run_that_is_killed_at_random_instants_comes_to_the_same(
    forks: Sessions, undisturbed: RunState, whole_s: float, tmp_path: Path, batch: int
) -> None:
    seed = secrets.randbits(32)
    chance = random.Random(seed)
    killed = Killed(forks, lambda: whole_s * chance.random() ** 2)
    while killed.finished.total() < KILLS:
        killed.kill(tmp_path / str(len(killed.folders)) / "run")
    killed.compare(undisturbed)
    assert killed.wrong == [], f"seed {seed}, kills by attempts finished: {killed.finished}"

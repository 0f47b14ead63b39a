"""A run that is killed two hundred times, whenever it may be, comes to what it would have come to."""

import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from tests.doubles.run_state import Attempt, RunState, kept_rollouts, run_state, torn_files
from tests.doubles.sessions import Sessions, sessions

KILLS = 200
MOST = 50
"""Of one run: one that never ended would be killed for ever."""
ATTEMPTS = 18
LENGTH = ("--tasks=6", "--attempts=3", "--rollout-s=0.01", "--grading-s=0.005")


@dataclass
class Killed:
    """Runs that were killed and gone on with until each came to its end."""

    seed: int
    """Of the instants; what a kill meets is the machine's chance all the same."""
    undisturbed: RunState
    folders: list[Path] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    """How many attempts were finished at each kill."""
    asked_again: list[Attempt] = field(default_factory=list)
    """Attempts of which the agent was asked although their rollouts were kept."""

    def differ(self, what: Callable[[RunState], object]) -> list[tuple[int, Path]]:
        """Return the seed and folder of each run that is otherwise than the undisturbed one."""
        wanted = what(self.undisturbed)
        return [(self.seed, folder) for folder in self.folders if what(run_state(folder)) != wanted]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    tmp_path = tmp_path_factory.mktemp("kills")
    undisturbed = tmp_path / "undisturbed" / "run"
    with sessions(tmp_path / "log") as forks:
        assert forks.run(undisturbed, *LENGTH, "--breaks=5") == 0
        life_s = min(_life_s(forks, tmp_path / f"timed-{number}" / "run") for number in range(3))
        seen = Killed(secrets.randbits(32), run_state(undisturbed))
        chance = random.Random(seen.seed)
        while len(seen.finished) < KILLS:
            seen.folders.append(tmp_path / str(len(seen.folders)) / "run")
            _kill_until_it_ends(forks, lambda: life_s * chance.random() ** 2, seen)
    return seen


def _kill_until_it_ends(forks: Sessions, instant_s: Callable[[], float], seen: Killed) -> None:
    """Kill the last run again and again; where nothing is left to do it is let come to its end."""
    folder = seen.folders[-1]
    asked = folder.with_name("asked")
    for kills in count():
        kept, before = kept_rollouts(folder), len(_lines(asked))
        leave = kills == MOST or len(_finished(folder)) == ATTEMPTS
        limit = None if leave else instant_s()
        code = forks.run(folder, *LENGTH, "--breaks=5", f"--asked={asked}", kill_after_s=limit)
        seen.asked_again += kept & {_attempt(line) for line in _lines(asked)[before:]}
        assert code in {0, -9}, forks.log.read_text()
        if code == 0:
            return
        seen.finished.append(len(_finished(folder)))


def _life_s(forks: Sessions, folder: Path) -> float:
    begun = time.monotonic()
    assert forks.run(folder, *LENGTH) == 0
    return time.monotonic() - begun


def _finished(folder: Path) -> list[str]:
    return [line for line in _lines(folder / "results.jsonl") if "infra_error" not in line]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _attempt(line: str) -> Attempt:
    task_id, attempt = line.split()
    return task_id, int(attempt)


def test_kills_fall_before_the_first_result_after_the_last_and_between(killed: Killed) -> None:
    among = {(done > 0) + (done == ATTEMPTS) for done in killed.finished}
    assert (among, len(killed.finished) >= KILLS) == ({0, 1, 2}, True), killed.seed


def test_each_attempt_comes_to_the_result_of_an_undisturbed_run(killed: Killed) -> None:
    assert killed.differ(lambda run: run.results) == []


def test_each_attempt_has_one_end(killed: Killed) -> None:
    assert killed.differ(lambda run: run.lines) == []


def test_the_predictions_are_those_of_an_undisturbed_run(killed: Killed) -> None:
    assert killed.differ(lambda run: run.predictions) == []


def test_each_attempt_has_all_its_files(killed: Killed) -> None:
    assert killed.differ(lambda run: run.files) == []


def test_every_line_is_whole(killed: Killed) -> None:
    assert [torn_files(folder) for folder in killed.folders if torn_files(folder)] == []


def test_no_agent_is_asked_again_for_a_rollout_that_was_kept(killed: Killed) -> None:
    assert killed.asked_again == [], killed.seed

"""How a run goes, read from its folder while another process may write it."""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import StoreError
from evalkit.reporting.status import Doing, State, Status, read_status
from evalkit.store import RunFolder
from evalkit.store.lines import RolloutLine
from evalkit.types import EngineSample, Outcome, Result
from tests.doubles.finished import make_rolled
from tests.doubles.tasks import make_result

Told = Mapping[str, Any]
BEGAN = {"t": 1000, "kind": "began"}
ROLLOUT = {"t": 1010, "kind": "rollout", "task_id": "a", "attempt": 1}
INTERRUPTED = {"t": 1050, "kind": "interrupted", "task_id": "a", "attempt": 1}
PAUSED = {"t": 1100, "kind": "paused", "what": "disk", "why": "9 MiB are free"}
RESUMED = {"t": 1200, "kind": "resumed", "what": "disk"}


def graded(task_id: str, t: float, outcome: str = "resolved") -> Told:
    return {"t": t, "kind": "graded", "task_id": task_id, "attempt": 1, "outcome": outcome}


@dataclass
class Left:
    """Writes a run folder of two tasks, `a` and `b`, as a run leaves it, and reads its status."""

    path: Path

    def status(
        self,
        *events: Told,
        results: Sequence[Result] = (),
        rolled: Sequence[str] = (),
        running: bool = False,
        now: float = 2000,
        **manifest: Any,
    ) -> Status:
        """`rolled` are attempts whose rollout ended, as `a/1`; `running`: its lock is held."""
        facts = {"selected": ["a", "b"], "attempts": 1, "suite": "s", "command": "evalkit run"}
        self._write("run.json", [facts | manifest])
        self._write("events.jsonl", events)
        self._write("results.jsonl", [result.model_dump(mode="json") for result in results])
        for attempt in rolled:
            (self.path / "tasks" / attempt).mkdir(parents=True)
            end = RolloutLine(rollout=make_rolled()).model_dump_json()
            (self.path / "tasks" / attempt / "trajectory.jsonl").write_text(end + "\n")
        with RunFolder(self.path, resume=True) if running else nullcontext():
            return read_status(self.path, now)

    def _write(self, name: str, lines: Sequence[Mapping[str, Any]]) -> None:
        (self.path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def left(tmp_path: Path) -> Left:
    return Left(tmp_path)


RESOLVED_A = make_result(task_id="a", outcome=Outcome.RESOLVED)
BROKEN_A = make_result(task_id="a", outcome=Outcome.INFRA_ERROR)
FAILED_B = make_result(task_id="b", outcome=Outcome.UNRESOLVED)


def test_a_folder_that_a_process_writes_is_of_a_running_run(left: Left) -> None:
    assert left.status(running=True).state is State.RUNNING


def test_a_run_whose_every_attempt_has_a_result_is_complete(left: Left) -> None:
    assert left.status(results=[RESOLVED_A, FAILED_B]).state is State.COMPLETE


def test_a_run_with_an_attempt_left_is_stopped(left: Left) -> None:
    assert left.status(results=[RESOLVED_A]).state is State.STOPPED


def test_a_run_whose_attempt_broke_is_stopped(left: Left) -> None:
    assert left.status(results=[BROKEN_A, FAILED_B]).state is State.STOPPED


def test_reading_does_not_keep_a_run_from_its_folder(left: Left) -> None:
    left.status()
    with RunFolder(left.path, resume=True) as folder:
        assert folder.path == left.path


def test_what_is_finished_is_counted_of_what_is_planned(left: Left) -> None:
    status = left.status(results=[RESOLVED_A, FAILED_B], attempts=3)
    assert (status.finished, status.planned) == (2, 6)


def test_an_attempt_that_broke_is_not_finished(left: Left) -> None:
    assert left.status(results=[BROKEN_A, FAILED_B]).finished == 1


def test_the_last_result_of_an_attempt_counts(left: Left) -> None:
    outcomes = left.status(results=[BROKEN_A, RESOLVED_A]).outcomes
    assert (outcomes[Outcome.RESOLVED], outcomes[Outcome.INFRA_ERROR]) == (1, 0)


def test_an_attempt_in_its_rollout_is_under_way(left: Left) -> None:
    (one,) = left.status(BEGAN, ROLLOUT, running=True).under_way
    assert (one.task_id, one.attempt, one.doing, one.seconds) == ("a", 1, Doing.ROLLOUT, 990)


def test_a_trajectory_without_its_last_line_is_of_a_rollout(left: Left) -> None:
    (left.path / "tasks/a/1").mkdir(parents=True)
    (left.path / "tasks/a/1/trajectory.jsonl").write_text('{"kind":"turn"}\n')
    (one,) = left.status(BEGAN, ROLLOUT, running=True).under_way
    assert one.doing is Doing.ROLLOUT


def test_an_attempt_whose_rollout_ended_is_being_graded(left: Left) -> None:
    (one,) = left.status(BEGAN, ROLLOUT, rolled=["a/1"], running=True).under_way
    assert one.doing is Doing.GRADING


def test_a_grading_is_timed_from_the_rollouts_end(left: Left) -> None:
    now = 2e10  # later than any clock
    (one,) = left.status(BEGAN, ROLLOUT, rolled=["a/1"], running=True, now=now).under_way
    assert one.seconds == now - (left.path / "tasks/a/1/trajectory.jsonl").stat().st_mtime


def test_a_rollout_that_broke_waits_to_be_begun_again(left: Left) -> None:
    again = {"t": 1500, "kind": "again", "task_id": "a", "attempt": 1, "what": "rollout"}
    (one,) = left.status(BEGAN, ROLLOUT, again, results=[BROKEN_A], running=True).under_way
    assert (one.doing, one.seconds) == (Doing.AGAIN, 500)


def test_a_grading_that_is_tried_again_is_a_grading(left: Left) -> None:
    again = {"t": 1500, "kind": "again", "task_id": "a", "attempt": 1, "what": "grading"}
    (one,) = left.status(BEGAN, ROLLOUT, again, rolled=["a/1"], running=True).under_way
    assert one.doing is Doing.GRADING


@pytest.mark.parametrize("end", [INTERRUPTED, graded("a", 1300, "infra_error")])
def test_an_attempt_at_its_end_is_under_way_no_more(left: Left, end: Told) -> None:
    assert left.status(BEGAN, ROLLOUT, end, running=True).under_way == ()


def test_an_attempt_with_its_result_is_under_way_no_more(left: Left) -> None:
    assert left.status(BEGAN, ROLLOUT, results=[RESOLVED_A], running=True).under_way == ()


def test_what_began_first_comes_first(left: Left) -> None:
    events = [
        {"t": t, "kind": "rollout", "task_id": task_id, "attempt": 1}
        for t, task_id in ((1020, "b"), (1030, "a"))
    ]
    under_way = left.status(BEGAN, *events, running=True).under_way
    assert [one.task_id for one in under_way] == ["b", "a"]


def test_of_a_run_that_stopped_nothing_is_under_way(left: Left) -> None:
    assert left.status(BEGAN, ROLLOUT).under_way == ()


def test_what_a_kill_cut_off_is_interrupted(left: Left) -> None:
    assert left.status(BEGAN, ROLLOUT).interrupted == 1


def test_what_a_signal_cut_off_is_interrupted(left: Left) -> None:
    assert left.status(BEGAN, ROLLOUT, INTERRUPTED, running=True).interrupted == 1


def test_what_an_earlier_session_left_is_interrupted(left: Left) -> None:
    again = {"t": 1900, "kind": "began"}
    assert left.status(BEGAN, ROLLOUT, again, running=True).interrupted == 1


def test_what_is_begun_anew_is_interrupted_no_more(left: Left) -> None:
    status = left.status(BEGAN, ROLLOUT, INTERRUPTED, BEGAN, ROLLOUT, running=True)
    assert (status.interrupted, len(status.under_way)) == (0, 1)


def test_what_broke_is_not_called_interrupted(left: Left) -> None:
    broke = graded("a", 1300, "infra_error")
    assert left.status(BEGAN, ROLLOUT, broke, results=[BROKEN_A]).interrupted == 0


def test_a_kill_between_the_result_and_its_event_interrupts_nothing(left: Left) -> None:
    assert left.status(BEGAN, ROLLOUT, results=[RESOLVED_A]).interrupted == 0


def test_a_rollout_that_ended_before_the_kill_is_only_to_grade(left: Left) -> None:
    status = left.status(BEGAN, ROLLOUT, rolled=["a/1"])
    assert (status.to_grade, status.interrupted) == (1, 0)


def test_what_is_being_graded_is_not_also_to_grade(left: Left) -> None:
    assert left.status(BEGAN, ROLLOUT, rolled=["a/1"], running=True).to_grade == 0


def test_attempts_that_nobody_touched_are_not_begun(left: Left) -> None:
    assert left.status(BEGAN, ROLLOUT, results=[FAILED_B], attempts=3).not_begun == 4


def test_the_pace_is_that_of_the_session(left: Left) -> None:
    events = [BEGAN, graded("a", 1100), {"t": 5000, "kind": "began"}, graded("b", 5100)]
    assert left.status(*events, running=True, now=5000 + 1800).per_hour == 2


def test_what_broke_adds_nothing_to_the_pace(left: Left) -> None:
    events = [BEGAN, graded("a", 1100), graded("b", 1200, "infra_error")]
    assert left.status(*events, running=True, now=1000 + 3600).per_hour == 1


def test_without_a_finished_attempt_there_is_no_pace(left: Left) -> None:
    assert left.status(BEGAN, ROLLOUT, running=True).per_hour is None


def test_a_run_that_stopped_was_as_fast_as_until_its_last_event(left: Left) -> None:
    events = [BEGAN, graded("a", 1100), {"t": 1000 + 900, "kind": "ended"}]
    assert left.status(*events, now=9e9).per_hour == 4


def test_the_time_left_follows_from_the_pace(left: Left) -> None:
    events = [BEGAN, graded("a", 1100)]
    status = left.status(*events, results=[RESOLVED_A], attempts=2, running=True, now=1600)
    assert status.left_s == 3 * 600


def test_no_time_is_left_for_what_this_session_gave_up(left: Left) -> None:
    events = [BEGAN, graded("b", 1100), graded("a", 1200, "infra_error")]
    status = left.status(*events, results=[FAILED_B, BROKEN_A], running=True)
    assert status.left_s == 0


def test_of_a_run_that_stopped_no_time_is_left(left: Left) -> None:
    assert left.status(BEGAN, graded("a", 1100), results=[RESOLVED_A]).left_s is None


def test_what_is_paused_is_told_with_why_and_since_when(left: Left) -> None:
    (one,) = left.status(BEGAN, PAUSED, running=True).paused
    assert (one.what, one.why, one.since) == ("disk", "9 MiB are free", 1100)


def test_what_came_back_is_paused_no_more(left: Left) -> None:
    assert left.status(BEGAN, PAUSED, RESUMED, running=True).paused == ()


def test_a_new_session_begins_without_a_pause(left: Left) -> None:
    assert left.status(BEGAN, PAUSED, BEGAN, running=True).paused == ()


def test_sessions_are_counted(left: Left) -> None:
    assert left.status(BEGAN, BEGAN, BEGAN).sessions == 3


EARLIER: dict[str, Any] = {"first_attempt": 2, "earlier": [{"first_attempt": 1}]}


def test_attempts_of_earlier_conditions_are_only_counted(left: Left) -> None:
    second = make_result(task_id="a", attempt=2)
    status = left.status(results=[RESOLVED_A, RESOLVED_A, FAILED_B, second], **EARLIER)
    assert (status.earlier, status.finished) == (2, 1)


def test_what_was_begun_under_earlier_conditions_is_not_interrupted(left: Left) -> None:
    assert left.status(BEGAN, ROLLOUT, **EARLIER).interrupted == 0


def test_attempts_of_tasks_that_are_no_longer_selected_are_only_counted(left: Left) -> None:
    status = left.status(results=[RESOLVED_A, FAILED_B], selected=["a"], earlier=[{}])
    assert (status.earlier, status.finished) == (1, 1)


def test_a_result_that_nobody_planned_is_refused(left: Left) -> None:
    with pytest.raises(StoreError, match="line 1: c attempt 1 is not among those"):
        left.status(results=[make_result(task_id="c")])


def test_the_command_that_goes_on_is_the_runs_own(left: Left) -> None:
    assert left.status(command="evalkit run --resume").command == "evalkit run --resume"


LOOKS = [EngineSample(t=t, running=t, capacity_tokens=10**6) for t in range(2000)]


def look(folder: Path, text: str) -> EngineSample | None:
    (folder / "engine.jsonl").write_text(text)
    return Left(folder).status().engine


def test_the_last_look_at_the_engine_is_told(tmp_path: Path) -> None:
    text = "".join(one.model_dump_json() + "\n" for one in LOOKS)
    assert look(tmp_path, text) == LOOKS[-1]


def test_a_look_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    text = "\n".join(one.model_dump_json() for one in LOOKS[:2])
    assert look(tmp_path, text) == LOOKS[0]


def test_where_no_engine_was_looked_at_none_is_told(left: Left) -> None:
    assert left.status().engine is None


def test_a_damaged_look_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"engine\.jsonl last line is damaged"):
        look(tmp_path, "{}\n")


@pytest.mark.parametrize("name", ["events.jsonl", "results.jsonl"])
def test_a_line_that_is_being_written_is_left_out(left: Left, name: str) -> None:
    before = left.status(BEGAN, ROLLOUT, results=[FAILED_B])
    with (left.path / name).open("a") as file:
        file.write('{"t": 1, "kind": "beg')
    assert read_status(left.path, 2000) == before


@pytest.mark.parametrize("name", ["events.jsonl", "results.jsonl"])
@pytest.mark.parametrize("damage", ["", "{", "[]", "{}"])
def test_other_damage_is_named_by_file_and_line(left: Left, name: str, damage: str) -> None:
    left.status(BEGAN, results=[FAILED_B])
    with (left.path / name).open("a") as file:
        file.write(damage + "\n")
    with pytest.raises(StoreError, match=f"{name} line 2 is damaged"):
        read_status(left.path)


def test_a_run_that_has_hardly_begun_is_read(left: Left) -> None:
    left.status()
    for name in ("events.jsonl", "results.jsonl"):
        (left.path / name).unlink()
    assert read_status(left.path).not_begun == 2


def test_a_folder_that_only_served_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"engine": {}}')
    with pytest.raises(StoreError, match="holds no run of a suite"):
        read_status(tmp_path)

import json
import math
from pathlib import Path
from typing import Any

import pytest

from evalkit.reporting.frames import ATTEMPTS, ENGINE, TESTS, TURNS, Frames, load_frames
from evalkit.reporting.load import load_run
from evalkit.types import EngineSample, Flag, Outcome
from tests.doubles.tasks import make_result
from tests.unit.reporting.conftest import WriteRun, turn

RESOLVED = make_result(outcome=Outcome.RESOLVED)
FIRST = {"turn": 1, "ttft_s": 0.5, "itl_s": 0.1, "finish_reason": "tool_calls", "lost_s": 2.0}


def _tool(seconds: float) -> dict[str, Any]:
    return {"kind": "tool", "turn": 1, "seconds": seconds}


def _evidence(folder: Path, attempt: str, **statuses: str) -> None:
    path = folder / "tasks" / "demo" / attempt / "evidence.json"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(json.dumps({"applied": "clean", "statuses": statuses}))


def test_every_planned_attempt_has_a_row(write_run: WriteRun) -> None:
    attempts = load_frames(write_run([RESOLVED], attempts=2)).attempts
    rows = list(zip(attempts["task_id"], attempts["attempt"], strict=True))
    assert rows == [("demo", 1), ("demo", 2), ("other", 1), ("other", 2)]


def test_the_mean_over_rows_is_the_score(write_run: WriteRun) -> None:
    assert load_frames(write_run([RESOLVED], attempts=2)).attempts["resolved"].mean() == 0.25


def test_what_has_no_result_is_unfinished(write_run: WriteRun) -> None:
    attempts = load_frames(write_run([RESOLVED])).attempts
    assert list(attempts["outcome"]) == ["resolved", "unfinished"]


def test_what_is_unfinished_has_no_figures(write_run: WriteRun) -> None:
    attempts = load_frames(write_run([RESOLVED])).attempts
    assert attempts.iloc[1][["turns", "wall_s", "completion_tokens"]].isna().all()


def test_a_later_attempt_that_finished_first_moves_no_number(write_run: WriteRun) -> None:
    attempts = load_frames(write_run([make_result(attempt=2)], attempts=2)).attempts
    assert sorted(set(attempts["attempt"])) == [1, 2]


def test_attempts_of_earlier_conditions_have_no_row(write_run: WriteRun) -> None:
    folder = write_run([RESOLVED, make_result(attempt=2)], first_attempt=2, earlier=[{}])
    assert set(load_frames(folder).attempts["attempt"]) == {2}


@pytest.mark.parametrize(
    ("flags", "doubtful"),
    [((), False), ((Flag.EDITED_CI,), False), ((Flag.EDITED_CI, Flag.EDITED_TESTS), True)],
)
def test_a_flag_that_leaves_doubt_makes_an_attempt_doubtful(
    flags: tuple[Flag, ...], doubtful: bool, write_run: WriteRun
) -> None:
    attempts = load_frames(write_run([make_result(flags=flags)])).attempts
    assert attempts["doubtful"].iloc[0] == doubtful


def test_flags_stand_in_one_text(write_run: WriteRun) -> None:
    flags = (Flag.EDITED_CI, Flag.EDITED_TESTS)
    attempts = load_frames(write_run([make_result(flags=flags)])).attempts
    assert attempts["flags"].iloc[0] == "edited_ci edited_tests"


def test_tasks_of_known_bad_grading_are_marked(write_run: WriteRun) -> None:
    attempts = load_frames(write_run(known_bad={"other": "gold fails"})).attempts
    assert list(attempts["known_bad"]) == [False, True]


def test_a_turn_has_its_times_and_tokens(write_run: WriteRun) -> None:
    line = turn(10, 12, 30, prompt_tokens=50, cached_tokens=20, tool_calls=[{}], **FIRST)
    (row,) = load_frames(write_run([RESOLVED], turns=[line])).turns.to_dict("records")
    assert row == FIRST | {
        "task_id": "demo",
        "attempt": 1,
        "start": 10,
        "end": 12,
        "prompt_tokens": 50,
        "cached_tokens": 20,
        "completion_tokens": 30,
        "incarnation": 1,
        "tool_calls": 1,
        "tool_s": 0,
    }


def test_seconds_of_tools_are_summed_over_the_turn_that_called_them(write_run: WriteRun) -> None:
    lines = [turn(0, 1, 1, turn=1), _tool(2), _tool(3), turn(6, 7, 1, turn=2), _tool(4)]
    assert list(load_frames(write_run([RESOLVED], turns=lines)).turns["tool_s"]) == [5, 4]


def test_a_first_try_that_broke_has_no_turns(write_run: WriteRun) -> None:
    folder = write_run([RESOLVED], turns=[turn(0, 1, 1, turn=1)])
    broke = folder / "tasks" / "demo" / "1.1" / "trajectory.jsonl"
    broke.parent.mkdir()
    broke.write_text(json.dumps(turn(0, 1, 99, turn=1)) + "\n")
    assert list(load_frames(folder).turns["completion_tokens"]) == [1]


def test_attempts_without_a_result_have_no_turns(write_run: WriteRun) -> None:
    assert load_frames(write_run(turns=[turn(0, 1, 1, turn=1)])).turns.empty


def test_each_test_that_grading_saw_has_a_row(write_run: WriteRun) -> None:
    folder = write_run([RESOLVED])
    _evidence(folder, "1", test_a="PASSED", test_b="FAILED")
    rows = load_frames(folder).tests.to_dict("split")["data"]
    assert rows == [["demo", 1, "test_a", "PASSED"], ["demo", 1, "test_b", "FAILED"]]


def test_each_look_at_the_engine_has_a_row(write_run: WriteRun) -> None:
    samples = [EngineSample(t=1.5, generation_tokens=7, running=2, kv_usage=0.25)]
    (row,) = load_frames(write_run(samples=samples)).engine.to_dict("records")
    assert (row["t"], row["generation_tokens"], row["kv_usage"]) == (1.5, 7, 0.25)


@pytest.mark.parametrize(
    ("name", "columns"),
    [("attempts", ATTEMPTS), ("turns", TURNS), ("tests", TESTS), ("engine", ENGINE)],
)
def test_an_empty_table_has_its_columns(
    name: str, columns: tuple[str, ...], write_run: WriteRun
) -> None:
    assert tuple(getattr(load_frames(write_run()), name).columns) == columns


DAMAGED = [
    ("turn", {"kind": "turn", "turn": 1}, "t0: Field required"),
    ("usage", {"kind": "turn", "turn": 1, "t0": 0, "t1": 1, "usage": []}, "usage: "),
    ("tool", {"kind": "tool", "seconds": "long"}, "seconds: "),
]


@pytest.mark.parametrize(("line", "why"), [one[1:] for one in DAMAGED], ids=[d[0] for d in DAMAGED])
def test_a_damaged_line_is_named_and_the_rest_is_read(
    line: dict[str, Any], why: str, write_run: WriteRun
) -> None:
    frames = load_frames(write_run([RESOLVED], turns=[turn(0, 1, 1, turn=1), line]))
    rows, missing = len(frames.turns), [one for one in frames.missing if "damaged" in one]
    assert (rows, len(missing)) == (1, 1)
    assert missing[0].startswith(f"tasks/demo/1/trajectory.jsonl line 2 is damaged: {why}")


def test_damaged_evidence_is_named(write_run: WriteRun) -> None:
    folder = write_run([RESOLVED])
    _evidence(folder, "1")
    (folder / "tasks" / "demo" / "1" / "evidence.json").write_text("{")
    frames = load_frames(folder)
    assert frames.tests.empty
    assert any("tasks/demo/1/evidence.json is damaged" in one for one in frames.missing)


def test_a_strictly_read_run_has_the_same_tables(write_run: WriteRun) -> None:
    folder = write_run([RESOLVED])
    assert Frames(load_run(folder)).attempts.equals(load_frames(folder).attempts)


def test_a_time_that_is_no_number_is_damage(write_run: WriteRun) -> None:
    folder = write_run([RESOLVED], turns=[turn(math.nan, 1, 1, turn=1)])
    assert any("t0" in one for one in load_frames(folder).missing)

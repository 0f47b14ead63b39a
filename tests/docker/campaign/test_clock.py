"""The wall clock jumps while a run is under way: what it measures and limits does not."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.serving.scripted import scripted_server
from evalkit.store.lines import has_ended
from tests.doubles.live_run import LiveRun, live_run
from tests.doubles.solver import endpoint, solves, tasks

if TYPE_CHECKING:
    from docker import APIClient

TASK, DAY_S = "leap-years", 86400
LIBRARY = "libfaketimeMT.so.1"
pytestmark = pytest.mark.row("F11")


def library() -> Path:
    """Debian's libfaketime, which setup.sh installs."""
    return next(Path("/usr/lib").glob(f"*/faketime/{LIBRARY}"))


@pytest.fixture(scope="module", params=[DAY_S, -DAY_S], ids=["forward", "back"])
def jumped(
    request: pytest.FixtureRequest, client: "APIClient", tmp_path_factory: pytest.TempPathFactory
) -> LiveRun:
    """A run whose wall clock was moved by a day while a command ran, and again in the grading."""
    folder = tmp_path_factory.mktemp("jumped")
    clock = folder / "clock"
    clock.write_text("+0")
    extra = {
        "LD_PRELOAD": str(library()),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with (
        scripted_server(solves({TASK: ["sleep 1"]})) as url,
        live_run(folder / "run", *tasks(TASK), *endpoint(url), extra=extra) as run,
    ):
        run.until_it_runs(client, TASK, "sleep 1")
        clock.write_text(f"{request.param:+d}")
        run.until(lambda: has_ended(run.folder / "tasks" / TASK / "1" / "trajectory.jsonl"))
        clock.write_text("+0")
        run.end()
        return run


def seconds(run: LiveRun) -> dict[str, float]:
    (result,) = run.results()
    return {key: value for key, value in result.items() if key.endswith("_s") and value is not None}


def test_the_clock_did_jump(jumped: LiveRun) -> None:
    times = [event["t"] for event in jumped.lines("events.jsonl")]
    turns = [line["t0"] for line in jumped.trajectory(TASK) if line["kind"] == "turn"]
    assert max(abs(time - times[0]) for time in [*times, *turns]) > DAY_S / 2


def test_the_attempt_is_graded_as_ever(jumped: LiveRun) -> None:
    (result,) = jumped.results()
    assert (result["outcome"], result["stop"]) == ("resolved", "submitted"), jumped.said


def test_no_duration_of_the_result_has_the_jump_in_it(jumped: LiveRun) -> None:
    assert {key: s for key, s in seconds(jumped).items() if not 0 <= s < 600} == {}


def test_a_turn_takes_as_long_as_its_answer_took(jumped: LiveRun) -> None:
    turns = [line for line in jumped.trajectory(TASK) if line["kind"] == "turn"]
    assert [turn for turn in turns if not 0 <= turn["t1"] - turn["t0"] < 600] == []


def test_no_call_has_the_jump_in_it(jumped: LiveRun) -> None:
    calls = [line["seconds"] for line in jumped.trajectory(TASK) if line["kind"] == "tool"]
    assert [s for s in calls if not 0 <= s < 600] == []

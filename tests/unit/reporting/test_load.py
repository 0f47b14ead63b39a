import shutil
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import StoreError
from evalkit.reporting.load import load_run
from evalkit.reporting.run import Turn
from evalkit.store import RunFolder
from evalkit.types import (
    Applied,
    EngineSample,
    Evidence,
    Finished,
    Incarnation,
    Outcome,
    StopReason,
    Submission,
    Tally,
    Usage,
    Verdict,
)
from tests.doubles.tasks import make_result
from tests.unit.reporting.conftest import WriteRun, turn

SAMPLE = EngineSample(t=1000.5, generation_tokens=7, running=2, kv_usage=0.25)


def test_what_the_store_wrote_is_read(tmp_path: Path) -> None:
    result = make_result(outcome=Outcome.UNRESOLVED)
    nothing = Tally(passed=0, total=1)
    with RunFolder(tmp_path) as folder:
        folder.describe(selected=["demo"], attempts=1)
        folder.engine_sample(SAMPLE)
        folder.finish(
            Finished(
                result=result,
                submission=Submission(
                    task_id="demo", attempt=1, patch="", stop=StopReason.SUBMITTED
                ),
                evidence=Evidence(applied=Applied.CLEAN),
                verdict=Verdict(
                    outcome=Outcome.UNRESOLVED, fail_to_pass=nothing, pass_to_pass=nothing
                ),
            )
        )
    run = load_run(tmp_path)
    assert (run.results, run.samples) == ((result,), (SAMPLE,))


def test_run_json_is_kept_as_it_is(write_run: WriteRun) -> None:
    assert load_run(write_run(host={"cpus": 2})).manifest["host"] == {"cpus": 2}


def test_each_model_turn_is_a_request(write_run: WriteRun, turns: list[dict[str, Any]]) -> None:
    run = load_run(write_run(turns=turns))
    assert run.requests == (
        Turn(start=1000, end=1005, completion_tokens=30),
        Turn(start=1015, end=1020, completion_tokens=70),
    )


def test_a_request_has_the_times_and_tokens_of_its_turn(write_run: WriteRun) -> None:
    tokens = {"prompt_tokens": 50, "cached_tokens": 20}
    times = {"ttft_s": 0.5, "itl_s": 0.1, "incarnation": 2}
    run = load_run(write_run(turns=[turn(0, 9, 3, **tokens, **times, text="hi", lost_s=4)]))
    assert run.requests == (Turn(start=0, end=9, completion_tokens=3, **tokens, **times),)


def test_the_starts_of_the_engine_are_read(write_run: WriteRun) -> None:
    one = Incarnation(number=1, started=5, max_model_len=4096, counter=Usage(completion_tokens=9))
    facts = {"version": "1", "gpus": 8, "incarnations": [one.model_dump(mode="json")]}
    run = load_run(write_run(engine=facts))
    assert (run.incarnations, run.gpus) == ((one,), 8)


def test_a_run_without_an_engine_has_no_starts(write_run: WriteRun) -> None:
    assert load_run(write_run()).incarnations == ()


def test_the_last_line_of_an_attempt_counts(write_run: WriteRun) -> None:
    first = make_result(outcome=Outcome.INFRA_ERROR)
    second = make_result(outcome=Outcome.RESOLVED, retry=1)
    assert load_run(write_run([first, second])).results == (second,)


def test_a_run_that_has_not_finished_anything_is_read(write_run: WriteRun) -> None:
    folder = write_run()
    (folder / "results.jsonl").unlink()
    (folder / "engine.jsonl").unlink()
    shutil.rmtree(folder / "tasks")
    assert load_run(folder).results == ()


@pytest.mark.parametrize("cut", [1, 40, -1])
def test_a_last_line_torn_by_a_kill_is_left_out(cut: int, write_run: WriteRun) -> None:
    whole = make_result()
    folder = write_run([whole])
    torn = make_result(task_id="other").model_dump_json()[:cut]
    with (folder / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write(torn)
    assert load_run(folder).results == (whole,)


@pytest.mark.parametrize("damage", ["{", "[]", '{"task_id": "demo"}', "", "\x00"])
def test_any_other_damage_is_named_by_file_and_line(damage: str, write_run: WriteRun) -> None:
    folder = write_run([make_result()])
    path = folder / "results.jsonl"
    path.write_text(path.read_text(encoding="utf-8") + damage + "\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"results\.jsonl line 2 is damaged"):
        load_run(folder)


def test_a_turn_that_ends_before_it_began_is_damage(write_run: WriteRun) -> None:
    backwards = {"kind": "turn", "t0": 2, "t1": 1, "usage": {}}
    folder = write_run(turns=[{"kind": "tool"}, backwards])
    with pytest.raises(StoreError, match=r"trajectory\.jsonl line 2 is damaged.*cannot end"):
        load_run(folder)


@pytest.mark.parametrize("stray", [{"task_id": "stranger"}, {"attempt": 2}])
def test_a_result_that_was_not_selected_is_refused(
    stray: dict[str, Any], write_run: WriteRun
) -> None:
    folder = write_run([make_result(**stray)])
    with pytest.raises(StoreError, match="not among those"):
        load_run(folder)


@pytest.mark.parametrize("wrong", [{"selected": []}, {"attempts": 0}])
def test_a_run_json_without_a_selection_is_refused(
    wrong: dict[str, Any], write_run: WriteRun
) -> None:
    with pytest.raises(StoreError, match=f"run.json is damaged: {next(iter(wrong))}"):
        load_run(write_run(**wrong))


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"holds no run\.json") as caught:
        load_run(tmp_path)
    assert caught.value.hint


EARLIER: dict[str, Any] = {"first_attempt": 2, "since": 1000.0, "earlier": [{"changes": ["a"]}]}
"""Of a run that was gone on with under other conditions."""


def test_attempts_of_earlier_conditions_do_not_count(write_run: WriteRun) -> None:
    run = load_run(write_run([make_result(), make_result(attempt=2)], **EARLIER))
    assert [result.attempt for result in run.results] == [2]


def test_attempts_of_tasks_that_are_no_longer_selected_do_not_count(write_run: WriteRun) -> None:
    run = load_run(write_run([make_result(task_id="gone")], earlier=[{}]))
    assert run.results == ()


def test_turns_of_earlier_conditions_tell_nothing_of_the_speed(write_run: WriteRun) -> None:
    run = load_run(write_run(turns=[turn(1, 2, 3), turn(1001, 1002, 3)], **EARLIER))
    assert [one.start for one in run.requests] == [1001]


def test_looks_at_the_engine_of_earlier_conditions_are_left_out(write_run: WriteRun) -> None:
    looks = [SAMPLE.model_copy(update={"t": t}) for t in (999.0, 1001.0)]
    assert [look.t for look in load_run(write_run(samples=looks, **EARLIER)).samples] == [1001.0]


def test_the_last_line_of_an_attempt_stands(write_run: WriteRun) -> None:
    lines = [make_result(outcome=Outcome.INFRA_ERROR), make_result(outcome=Outcome.RESOLVED)]
    assert [one.outcome for one in load_run(write_run(lines)).results] == [Outcome.RESOLVED]

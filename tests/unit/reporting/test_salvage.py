import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import StoreError
from evalkit.reporting.load import salvage_run
from evalkit.reporting.run import Run
from evalkit.reporting.summary import summarise
from evalkit.types import EngineSample, Outcome
from tests.doubles.tasks import make_result
from tests.unit.reporting.conftest import WriteRun, turn

BOTH = [make_result(outcome=Outcome.RESOLVED), make_result(task_id="other")]


def _told(run: Run, words: str) -> bool:
    return any(words in one for one in run.missing)


def _cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def test_nothing_is_missing_of_a_whole_folder(write_run: WriteRun) -> None:
    assert salvage_run(write_run(BOTH)).missing == ()


def test_a_run_that_is_not_done_says_how_much_has_no_result(write_run: WriteRun) -> None:
    assert salvage_run(write_run(BOTH[:1])).missing == ("1 of 2 attempts have no result",)


def test_a_file_that_was_cut_short_is_read_up_to_there(write_run: WriteRun) -> None:
    folder = write_run(BOTH)
    _cut(folder / "results.jsonl", -20)
    assert [one.task_id for one in salvage_run(folder).results] == ["demo"]


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"task_id": "demo"}', b"\x00\xff"])
def test_damaged_lines_are_left_out_and_named(damage: bytes, write_run: WriteRun) -> None:
    folder = write_run(BOTH)
    path = folder / "results.jsonl"
    path.write_bytes(damage + b"\n" + path.read_bytes())
    run = salvage_run(folder)
    assert (len(run.results), _told(run, "results.jsonl line 1 is damaged")) == (2, True)


def test_sentences_name_files_from_the_folder_on(write_run: WriteRun) -> None:
    folder = write_run(BOTH)
    (folder / "engine.jsonl").write_text("{\n")
    assert not _told(salvage_run(folder), str(folder))


@pytest.mark.parametrize("name", ["engine.jsonl", "tasks/demo/1/trajectory.jsonl"])
def test_damage_elsewhere_costs_no_result(name: str, write_run: WriteRun) -> None:
    folder = write_run(BOTH, turns=[turn(0, 1, 3)], samples=[EngineSample(t=1.0)])
    (folder / name).write_text("{\n")
    run = salvage_run(folder)
    assert (len(run.results), _told(run, f"{name} line 1 is damaged")) == (2, True)


@pytest.mark.parametrize("name", ["results.jsonl", "engine.jsonl"])
def test_a_file_that_is_not_there_costs_only_itself(name: str, write_run: WriteRun) -> None:
    folder = write_run(BOTH, samples=[EngineSample(t=1.0)])
    (folder / name).unlink()
    run = salvage_run(folder)
    assert len(run.results) + len(run.samples) == {"results.jsonl": 1, "engine.jsonl": 2}[name]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"selected": []}'])
def test_without_run_json_what_left_a_trace_is_counted(damage: str, write_run: WriteRun) -> None:
    folder = write_run(BOTH)
    (folder / "run.json").write_text(damage)
    assert salvage_run(folder).selected == ("demo", "other")


def test_a_score_without_run_json_is_said_to_be_none_of_the_suite(write_run: WriteRun) -> None:
    folder = write_run(BOTH)
    (folder / "run.json").unlink()
    assert _told(salvage_run(folder), "no score of the suite")


def test_results_stand_by_themselves(write_run: WriteRun, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (write_run(BOTH) / "results.jsonl").rename(alone / "results.jsonl")
    assert len(salvage_run(alone).results) == 2


def test_what_a_later_evalkit_tells_besides_is_left_out(write_run: WriteRun) -> None:
    folder = write_run(BOTH, evalkit="99.0.0")
    lines = [one.model_dump(mode="json") | {"mood": "good"} for one in BOTH]
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = salvage_run(folder)
    assert (len(run.results), _told(run, "written by evalkit 99.0.0")) == (2, True)


@pytest.mark.parametrize("version", ["0.0.1", "0.1.0", "from a checkout"])
def test_a_version_that_is_not_later_is_not_told(version: str, write_run: WriteRun) -> None:
    assert salvage_run(write_run(BOTH, evalkit=version)).missing == ()


def test_an_outcome_of_a_later_evalkit_is_named(write_run: WriteRun) -> None:
    folder = write_run(BOTH[:1], evalkit="99.0.0")
    path = folder / "results.jsonl"
    path.write_text(path.read_text().replace('"resolved"', '"half_resolved"'))
    assert _told(salvage_run(folder), "results.jsonl line 1 is damaged: outcome")


def test_an_empty_folder_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no run") as caught:
        salvage_run(tmp_path)
    assert caught.value.hint


def test_a_folder_that_is_not_there_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no run"):
        salvage_run(tmp_path / "nowhere")


def test_a_run_that_did_nothing_is_summed_up(write_run: WriteRun) -> None:
    assert summarise(salvage_run(write_run())).unfinished == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(size=st.integers(0, 4000), name=st.sampled_from(["run.json", "results.jsonl"]))
def test_wherever_a_file_ends_the_folder_is_read(
    size: int, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("run")
    manifest = {"suite": "test", "selected": ["demo", "other"], "attempts": 1}
    (folder / "run.json").write_text(json.dumps(manifest))
    lines = "".join(one.model_dump_json() + "\n" for one in BOTH)
    (folder / "results.jsonl").write_text(lines)
    _cut(folder / name, size)
    assert summarise(salvage_run(folder)).score.of in {1, 2}

"""What a run folder holds and when."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import ConfigError, StoreError
from evalkit.store import RunFolder
from evalkit.types import Applied, Audit, Evidence, Finding, Flag, Outcome
from tests.doubles.finished import make_finished


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def attempt(folder: RunFolder) -> Path:
    return folder.path / "tasks" / "demo" / "1"


def test_a_finished_attempt_has_its_line(folder: RunFolder) -> None:
    folder.finish(make_finished())
    assert [line["task_id"] for line in lines(folder.path / "results.jsonl")] == ["demo"]


def test_a_finished_attempt_has_its_files(folder: RunFolder) -> None:
    folder.finish(make_finished())
    names = {path.name for path in attempt(folder).iterdir()}
    assert names == {"patch.diff", "stdout.log", "stderr.log", "evidence.json", "verdict.json"}


def test_an_empty_log_is_no_file_nor_leaves_an_earlier_one(folder: RunFolder) -> None:
    said = make_finished()
    silent = said.evidence.model_copy(update={"stderr": ""})
    folder.finish(said)
    folder.finish(said.model_copy(update={"evidence": silent}))
    assert [path.name for path in attempt(folder).glob("*.log")] == ["stdout.log"]


def test_the_audit_of_a_trajectory_is_stored_with_its_findings(folder: RunFolder) -> None:
    finding = Finding(flag=Flag.GIT_ARCHAEOLOGY, turn=3, excerpt="git reflog")
    audit = Audit(calls=9, findings=(finding,))
    folder.finish(make_finished(audit=audit))
    text = (attempt(folder) / "audit.json").read_text("utf-8")
    assert Audit.model_validate_json(text) == audit


def test_an_audit_that_found_nothing_has_no_file(folder: RunFolder) -> None:
    folder.finish(make_finished(audit=Audit(calls=9)))
    assert not (attempt(folder) / "audit.json").exists()


def test_evidence_about_a_repaired_patch_lies_beside_the_other(folder: RunFolder) -> None:
    folder.finish(make_finished(repaired=Evidence(applied=Applied.CLEAN)))
    kept = attempt(folder) / "repaired.json"
    assert json.loads(kept.read_text())["applied"] == "clean"


def test_without_a_repaired_patch_there_is_no_evidence_about_one(folder: RunFolder) -> None:
    folder.finish(make_finished())
    assert not (attempt(folder) / "repaired.json").exists()


def test_of_an_attempt_that_was_begun_again_the_last_line_counts(folder: RunFolder) -> None:
    folder.finish(make_finished(outcome=Outcome.INFRA_ERROR))
    folder.finish(make_finished(outcome=Outcome.UNRESOLVED))
    outcomes = {key: result.outcome for key, result in folder.results().items()}
    assert outcomes == {("demo", 1): Outcome.UNRESOLVED}


def test_the_prediction_is_in_the_form_of_swe_bench(folder: RunFolder) -> None:
    folder.finish(make_finished())
    folder.predict(folder.results().values())
    prediction = lines(folder.path / "preds.jsonl")[0]
    assert (prediction["instance_id"], prediction["model_patch"]) == ("demo", "diff\n")


def test_what_the_infrastructure_broke_is_no_prediction(folder: RunFolder) -> None:
    folder.finish(make_finished(task_id="broken", outcome=Outcome.INFRA_ERROR))
    folder.finish(make_finished())
    folder.predict(folder.results().values())
    predicted = [line["instance_id"] for line in lines(folder.path / "preds.jsonl")]
    assert predicted == ["demo"]


def test_an_event_has_its_time(folder: RunFolder) -> None:
    folder.event("paused", why="disk")
    assert lines(folder.path / "events.jsonl")[0].keys() == {"t", "kind", "why"}


def test_a_trajectory_is_written_line_by_line(folder: RunFolder) -> None:
    record = folder.trajectory("demo", 1)
    record({"kind": "turn"})
    assert lines(folder.path / "tasks/demo/1/trajectory.jsonl") == [{"kind": "turn"}]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(text=st.text())
def test_any_text_of_a_model_comes_back_as_one_line(folder: RunFolder, text: str) -> None:
    path = folder.path / "tasks/demo/2/trajectory.jsonl"
    folder.trajectory("demo", 2)({"kind": "turn", "text": text})
    assert lines(path) == [{"kind": "turn", "text": text}]


def test_half_a_character_of_a_model_is_a_question_mark(folder: RunFolder) -> None:
    folder.trajectory("demo", 1)({"kind": "tool", "arguments": {"command": "echo \ud83d"}})
    kept = lines(attempt(folder) / "trajectory.jsonl")
    assert kept == [{"kind": "tool", "arguments": {"command": "echo ?"}}]


def test_half_a_character_in_an_attempt_loses_no_attempt(folder: RunFolder) -> None:
    finding = Finding(flag=Flag.NETWORK_ATTEMPT, turn=1, excerpt="curl \ud83d\0")
    audit = Audit(calls=1, findings=(finding,))
    folder.finish(make_finished("+\ud83d\n", error="\udcff", audit=audit))
    assert folder.patch(folder.results()["demo", 1]) == "+?\n"


def test_facts_about_the_run_add_up(folder: RunFolder) -> None:
    folder.describe(suite="s")
    assert json.loads((folder.path / "run.json").read_text()) == {"model": "m", "suite": "s"}


def test_facts_of_many_threads_add_up(folder: RunFolder) -> None:
    def describe(number: int) -> None:
        folder.describe(**{f"fact-{number}": number})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(describe, range(40)))
    assert len(json.loads((folder.path / "run.json").read_text())) == 1 + 40


def test_a_command_with_a_name_that_is_not_unicode_can_be_written_down(folder: RunFolder) -> None:
    folder.describe(command="evalkit run -o \udcff")
    assert json.loads((folder.path / "run.json").read_text())["command"] == "evalkit run -o ?"


def test_a_folder_whose_run_never_began_is_taken_over(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as first:
        first.describe(suite="s")
    with RunFolder(tmp_path) as second:
        assert second.path == tmp_path


def test_a_folder_that_holds_a_run_is_refused(folder: RunFolder) -> None:
    folder.trajectory("demo", 1)
    with pytest.raises(ConfigError, match="already holds a run"):
        RunFolder(folder.path).__enter__()


@pytest.mark.parametrize("path", ["file/run", "x" * 256])
def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=f"cannot write .*{path}"):
        RunFolder(tmp_path / path).__enter__()


def test_where_a_folder_cannot_be_made_the_way_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        RunFolder(tmp_path / "file" / "run").__enter__()
    assert "-o" in caught.value.hint

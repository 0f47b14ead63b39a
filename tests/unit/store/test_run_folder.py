"""What a run folder holds and when."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import ConfigError, StoreError
from evalkit.store import RunFolder
from evalkit.types import (
    Applied,
    Audit,
    Evidence,
    Finding,
    Finished,
    Flag,
    Outcome,
    StopReason,
    Submission,
    Tally,
    Verdict,
)
from tests.doubles.tasks import make_result


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    with RunFolder(tmp_path / "run") as folder:
        folder.describe(model="m")
        yield folder


def finish(
    folder: RunFolder,
    patch: str = "diff\n",
    repaired: Evidence | None = None,
    audit: Audit | None = None,
) -> Path:
    verdict = Verdict(
        outcome=Outcome.UNRESOLVED,
        fail_to_pass=Tally(passed=0, total=1),
        pass_to_pass=Tally(passed=1, total=1),
    )
    submission = Submission(task_id="demo", attempt=1, patch=patch, stop=StopReason.SUBMITTED)
    evidence = Evidence(applied=Applied.CLEAN, stdout="out", stderr="err")
    finished = Finished(
        result=make_result(patch_sha256=sha256(patch.encode()).hexdigest()),
        submission=submission,
        evidence=evidence,
        verdict=verdict,
        repaired=repaired,
        audit=audit or Audit(),
    )
    folder.finish(finished)
    return folder.path / "tasks" / "demo" / "1"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def test_a_finished_attempt_has_its_line(folder: RunFolder) -> None:
    finish(folder)
    assert [line["task_id"] for line in lines(folder.path / "results.jsonl")] == ["demo"]


def test_a_finished_attempt_has_its_files(folder: RunFolder) -> None:
    names = {path.name for path in finish(folder).iterdir()}
    assert names == {"patch.diff", "stdout.log", "stderr.log", "evidence.json", "verdict.json"}


def test_the_audit_of_a_trajectory_is_stored_with_its_findings(folder: RunFolder) -> None:
    finding = Finding(flag=Flag.GIT_ARCHAEOLOGY, turn=3, excerpt="git reflog")
    audit = Audit(calls=9, findings=(finding,))
    text = (finish(folder, audit=audit) / "audit.json").read_text("utf-8")
    assert Audit.model_validate_json(text) == audit


def test_the_prediction_is_in_the_form_of_swe_bench(folder: RunFolder) -> None:
    finish(folder)
    folder.predict(folder.results().values())
    prediction = lines(folder.path / "preds.jsonl")[0]
    assert (prediction["instance_id"], prediction["model_patch"]) == ("demo", "diff\n")


def test_an_event_has_its_time(folder: RunFolder) -> None:
    folder.event("paused", why="disk")
    assert lines(folder.path / "events.jsonl")[0].keys() == {"t", "kind", "why"}


def test_a_trajectory_is_written_line_by_line(folder: RunFolder) -> None:
    record = folder.trajectory("demo", 1)
    record({"kind": "turn"})
    assert lines(folder.path / "tasks/demo/1/trajectory.jsonl") == [{"kind": "turn"}]


def test_facts_about_the_run_add_up(folder: RunFolder) -> None:
    folder.describe(suite="s")
    assert json.loads((folder.path / "run.json").read_text()) == {"model": "m", "suite": "s"}


def test_a_folder_whose_run_never_began_is_taken_over(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as first:
        first.describe(suite="s")
    with RunFolder(tmp_path) as second:
        assert second.path == tmp_path


def test_a_folder_that_holds_a_run_is_refused(folder: RunFolder) -> None:
    folder.trajectory("demo", 1)
    with pytest.raises(ConfigError, match="already holds a run"):
        RunFolder(folder.path).__enter__()


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run"), pytest.raises(StoreError, match="another evalkit"):
        RunFolder(tmp_path / "run").__enter__()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        RunFolder(tmp_path / "file" / "run").__enter__()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(text=st.text())
def test_any_text_of_a_model_comes_back_as_one_line(folder: RunFolder, text: str) -> None:
    path = folder.path / "tasks/demo/2/trajectory.jsonl"
    folder.trajectory("demo", 2)({"kind": "turn", "text": text})
    assert lines(path) == [{"kind": "turn", "text": text}]


def test_evidence_about_a_repaired_patch_lies_beside_the_other(folder: RunFolder) -> None:
    kept = finish(folder, repaired=Evidence(applied=Applied.CLEAN)) / "repaired.json"
    assert json.loads(kept.read_text())["applied"] == "clean"


def test_without_a_repaired_patch_there_is_no_evidence_about_one(folder: RunFolder) -> None:
    assert not (finish(folder) / "repaired.json").exists()

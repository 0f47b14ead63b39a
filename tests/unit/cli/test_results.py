"""What a user sees of a run at its end."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from evalkit.cli.results import show_results
from evalkit.protocols import Message
from evalkit.store import RunFolder
from evalkit.types import (
    Applied,
    Evidence,
    Finished,
    Flag,
    Incarnation,
    Outcome,
    Received,
    Result,
    StopReason,
    Submission,
    Tally,
    Usage,
    Verdict,
)
from tests.doubles.sides import I, R, U, write_folder
from tests.doubles.tasks import make_result

Shown = Callable[..., str]


@pytest.fixture
def shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shown:
    """The results of a run with one attempt, as printed 120 columns wide."""
    monkeypatch.setenv("COLUMNS", "120")

    def show(result: Result, turns: Sequence[Message] = (), **facts: Any) -> str:
        none = Tally(passed=0, total=1)
        with RunFolder(tmp_path / "run") as folder:
            folder.describe(
                **{"suite": "s", "model": "m", "selected": ["demo"], "attempts": 1, **facts}
            )
            for line in turns:
                folder.trajectory("demo", 1)(line)
            folder.finish(
                Finished(
                    result=result,
                    submission=Submission(
                        task_id="demo", attempt=1, patch="", stop=StopReason.SUBMITTED
                    ),
                    evidence=Evidence(applied=Applied.EMPTY),
                    verdict=Verdict(
                        outcome=Outcome.UNRESOLVED, fail_to_pass=none, pass_to_pass=none
                    ),
                )
            )
        show_results(tmp_path / "run")
        return capsys.readouterr().out

    return show


def test_where_no_model_worked_the_reason_is_shown(shown: Shown) -> None:
    assert "the patch is empty" in shown(make_result(turns=0, reason="the patch is empty"))


def test_the_reason_has_its_heading(shown: Shown) -> None:
    assert "why" in shown(make_result(turns=0))


def test_where_a_model_worked_it_is_shown_why_it_stopped(shown: Shown) -> None:
    assert "submitted" in shown(make_result(turns=2))


@pytest.mark.parametrize("whole", [" turns ", " tokens ", " 558 "])
def test_a_narrow_table_cuts_ids_and_no_figures(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, whole: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    task_id = "instance_qutebrowser__qutebrowser-50efac08f623644a85441bbe02ab9347d2b71a9d"
    outcome, stop = Outcome.UNRESOLVED, StopReason.TOKEN_LIMIT
    result = make_result(task_id=task_id, outcome=outcome, stop=stop, turns=7, wall_s=558)
    assert whole in shown(result, selected=[task_id])


def test_a_part_of_a_suite_is_called_one(shown: Shown) -> None:
    assert "1 of the suite's 8 tasks" in shown(make_result(), suite_tasks=8)


def test_tasks_excluded_by_name_are_counted(shown: Shown) -> None:
    text = shown(make_result(), suite_tasks=8, excluded=["a", "b"])
    assert "1 of the suite's 8 tasks, 2 excluded by name" in text


def test_attempts_without_a_result_are_counted(shown: Shown) -> None:
    assert re.search(r"unfinished +2 of 3 attempts", shown(make_result(), attempts=3))


@pytest.mark.parametrize(
    "words", ["pass@2 100.0% over 1 of 2 tasks, the rest with", "pass^2 0.0% over"]
)
def test_of_several_attempts_it_is_shown_whether_one_or_all_resolve(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_results(write_folder(tmp_path / "run", {"demo": [R, U], "other": [R, I]}))
    assert words in " ".join(capsys.readouterr().out.split())


def test_of_one_attempt_it_is_not(shown: Shown) -> None:
    assert "pass@" not in shown(make_result())


def test_of_a_run_that_is_complete_nothing_is_unfinished(shown: Shown) -> None:
    assert "unfinished" not in shown(make_result())


def test_attempts_of_earlier_conditions_are_said_not_to_count(shown: Shown) -> None:
    text = shown(make_result(), first_attempt=2, earlier=[{"first_attempt": 1}])
    assert re.search(r"earlier conditions +attempts made under them, not counted: 1\b", text)


def test_of_a_run_under_one_condition_no_earlier_ones_are_told(shown: Shown) -> None:
    assert "earlier conditions" not in shown(make_result())


def test_the_name_of_a_model_is_no_markup(shown: Shown) -> None:
    assert "s: [/m]" in shown(make_result(), model="[/m]")


def test_attempts_are_counted_by_flag(shown: Shown) -> None:
    flags = (Flag.GIT_ARCHAEOLOGY, Flag.NETWORK_ATTEMPT)
    assert "1 git_archaeology, 1 network_attempt" in shown(make_result(flags=flags))


def test_the_score_without_doubtful_attempts_is_shown(shown: Shown) -> None:
    text = shown(make_result(flags=(Flag.READ_OUTSIDE,)), attempts=2)
    assert "without doubtful attempts" in text


TURNS: list[Message] = [
    {
        "kind": "turn",
        "t0": 1000,
        "t1": 1022,
        "ttft_s": 2,
        "itl_s": 0.2,
        "usage": {"prompt_tokens": 400, "cached_tokens": 300, "completion_tokens": 101},
    }
]


def _engine(counted: int, starts: int = 1, **facts: Any) -> dict[str, Any]:
    """An engine that was up for 50 s a start; 105 tokens were received of each."""
    one = Incarnation(
        number=1,
        started=1000,
        ended=1050,
        max_model_len=4096,
        counter=Usage(prompt_tokens=410, completion_tokens=counted),
        received_then=105,
        received=Received(
            turns=Usage(prompt_tokens=400, completion_tokens=101),
            probes=Usage(prompt_tokens=10, completion_tokens=4),
        ),
    )
    numbered = [one.model_copy(update={"number": number}) for number in range(1, starts + 1)]
    return {"incarnations": [each.model_dump(mode="json") for each in numbered], **facts}


@pytest.mark.parametrize(
    "words",
    [
        "engine_tok_s 2.0 while an engine was up, 0.5 for each GPU",
        "prefill_tok_s 50.0 fresh prompt tokens a second of waiting",
        "decode_tok_s 5.0 for each stream",
        "cache hit rate 75.0% of prompt tokens",
        "ttft_s 2 (median), 2 (95th percentile), queueing included",
        "itl_s 0.2 (median), 0.2 (95th percentile), each turn's mean",
        "105 out, 105 received: 0.00% apart, within 1%",
        "101 in turns, 4 in probes, 0 in repeated turns",
        "410 in, 410 received: 0.00% apart",
    ],
)
def test_figures_of_the_engine_are_shown(shown: Shown, words: str) -> None:
    text = shown(make_result(turns=1), TURNS, engine=_engine(105, gpus=4))
    assert words in " ".join(text.split())


def test_counts_that_are_more_than_a_percent_apart_are_called_so(shown: Shown) -> None:
    text = shown(make_result(turns=1), TURNS, engine=_engine(100))
    assert "100 out, 105 received: 5.00% apart, NOT within 1%" in text


def test_each_start_of_the_engine_has_its_row(shown: Shown) -> None:
    text = shown(make_result(turns=1), TURNS, engine=_engine(105, starts=2))
    assert "engine's counter #2" in text


def test_an_engine_without_counters_is_said_to_tell_none(shown: Shown) -> None:
    assert "not told; received 101 in turns" in shown(
        make_result(turns=1), TURNS, engine=_engine(0)
    )


def test_of_a_crowd_the_rest_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned = {"suite": "s", "model": "m", "selected": ["demo"], "attempts": 1001}
    (tmp_path / "run.json").write_text(json.dumps(planned))
    lines = [make_result(attempt=number).model_dump_json() for number in range(1, 1002)]
    (tmp_path / "results.jsonl").write_text("\n".join(lines) + "\n")
    show_results(tmp_path)
    assert "and 1 more in results.jsonl" in capsys.readouterr().out

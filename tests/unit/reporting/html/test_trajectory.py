import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import StoreError
from evalkit.reporting.html.trajectory import Step, duration, steps

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
KEYS = ("turn", "t0", "t1", "ttft_s", "usage", "text", "tool_calls", "name", "arguments",
        "observation", "seconds", "finish_reason", "role", "content", "reason", "error")  # fmt: skip
LINES = st.fixed_dictionaries(
    {"kind": st.sampled_from(["turn", "tool", "message", "stop", "fault"]) | JSON},
    optional=dict.fromkeys(KEYS, JSON),
)


def _steps(path: Path, *lines: Mapping[str, Any]) -> list[Step]:
    file = path / "trajectory.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return list(steps(file, lambda _: None))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=4))
def test_a_line_of_any_content_is_a_step(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    turns = [line for line in lines if line["kind"] != "tool"]
    assert len(_steps(tmp_path, *lines)) >= len(turns)


def test_a_call_stands_in_the_turn_that_made_it(tmp_path: Path) -> None:
    tool = {"kind": "tool", "name": "bash", "arguments": {"command": "ls"}, "observation": "a"}
    _, turn = _steps(tmp_path, {"kind": "turn", "turn": 1}, {"kind": "turn", "turn": 2}, tool)
    assert [call.name for call in turn.calls] == ["bash"]


def test_a_call_that_was_not_answered_is_what_the_model_wrote(tmp_path: Path) -> None:
    asked = [{"name": "bash", "arguments": '{"command": "ls"}'}]
    (turn,) = _steps(tmp_path, {"kind": "turn", "turn": 1, "tool_calls": asked})
    assert turn.asked[0].arguments == [("command", ("ls", "", 0))]


def test_arguments_that_are_no_json_are_shown_as_they_came(tmp_path: Path) -> None:
    (turn,) = _steps(tmp_path, {"kind": "turn", "tool_calls": [{"name": "b", "arguments": "{x"}]})
    assert turn.asked[0].arguments == [("", ("{x", "", 0))]


def test_times_and_tokens_of_a_turn_are_told(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 1200, "cached_tokens": 1000, "completion_tokens": 30}
    line = {"kind": "turn", "turn": 1, "t0": 5, "t1": 7.5, "ttft_s": 0.25, "usage": usage}
    assert _steps(tmp_path, line)[0].facts == [
        "2.5 s",
        "first token after 0.2 s",
        "1,200 tokens in (1,000 cached)",
        "30 out",
    ]


def test_an_answer_that_was_cut_off_says_so(tmp_path: Path) -> None:
    assert _steps(tmp_path, {"kind": "turn", "finish_reason": "cut_off"})[0].facts == ["cut off"]


def test_what_the_rollout_handed_in_is_no_step(tmp_path: Path) -> None:
    assert _steps(tmp_path, {"kind": "rollout", "rollout": {"queue_s": 0.0}}) == []


@pytest.mark.row("H9")
def test_a_fault_names_no_path_of_the_host(tmp_path: Path) -> None:
    (step,) = _steps(tmp_path, {"kind": "fault", "error": "no space at /home/jane/runs/x"})
    assert step.title == "Fault: no space at …/x"


def test_damaged_lines_are_told_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "trajectory.jsonl").write_text('{\n{"kind": "turn"}\n')
    told: list[StoreError] = []
    assert (len(list(steps(tmp_path / "trajectory.jsonl", told.append))), len(told)) == (1, 1)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (599.9, "599.9 s"), (750, "12.5 min")]
)
def test_long_times_are_in_minutes(seconds: float, text: str) -> None:
    assert duration(seconds) == text

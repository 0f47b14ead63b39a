"""How a conversation goes on and how it ends."""

import re
import subprocess
from pathlib import Path

import pytest

from evalkit.agents.prompt import Prompt
from evalkit.types import CUT_OFF, StopReason
from tests.doubles.scripted_model import SUBMIT, Converse, calls, says


def test_submit_ends_the_rollout(converse: Converse) -> None:
    assert converse(SUBMIT).submission.stop is StopReason.SUBMITTED


def test_the_patch_is_what_the_sandbox_shows(converse: Converse) -> None:
    done = converse(calls(("bash", '{"command": "printf diff > PATCH"}')), SUBMIT)
    assert done.submission.patch == "diff"


def test_the_turn_limit_ends_the_rollout(converse: Converse) -> None:
    again = [calls(("bash", '{"command": "true"}'))] * 5
    assert converse(*again, turns=3).submission.stop is StopReason.TURN_LIMIT


def test_no_turn_is_taken_past_the_limit(converse: Converse) -> None:
    again = [calls(("bash", '{"command": "true"}'))] * 5
    assert converse(*again, turns=3).submission.turns == 3


def test_the_token_limit_ends_the_rollout(converse: Converse) -> None:
    again = [calls(("bash", '{"command": "true"}'))] * 5
    assert converse(*again, completion_tokens=9).submission.stop is StopReason.TOKEN_LIMIT


def test_the_time_limit_ends_the_rollout(converse: Converse) -> None:
    slow = calls(("bash", '{"command": "sleep 0.3"}'))
    assert converse(slow, slow, seconds=0.2).submission.stop is StopReason.TIME_LIMIT


def test_a_full_context_ends_the_rollout_with_the_patch_so_far(converse: Converse) -> None:
    done = converse(calls(("bash", '{"command": "printf diff > PATCH"}')))
    assert (done.submission.stop, done.submission.patch) == (StopReason.CONTEXT_LIMIT, "diff")


def test_an_answer_that_is_cut_off_ends_the_rollout_with_the_patch_so_far(
    converse: Converse,
) -> None:
    write, late = '{"command": "printf diff > PATCH"}', '{"command": "rm PATCH"}'
    cut = calls(("bash", late)).model_copy(update={"finish_reason": CUT_OFF})
    done = converse(calls(("bash", write)), cut)
    assert (done.submission.stop, done.submission.patch) == (StopReason.TIME_LIMIT, "diff")


def test_tokens_of_an_answer_that_is_cut_off_count(converse: Converse) -> None:
    cut = says("Well").model_copy(update={"finish_reason": CUT_OFF})
    assert converse(cut).submission.usage.completion_tokens == 3


def test_a_turn_may_not_pass_the_token_limit(converse: Converse) -> None:
    done = converse(*[calls(("bash", '{"command": "true"}'))] * 2, completion_tokens=12)
    assert done.model.allowed[:2] == [12, 7]


def test_three_turns_in_a_row_without_a_call_is_giving_up(converse: Converse) -> None:
    assert converse(*[says("Hm.")] * 5).submission.stop is StopReason.GAVE_UP


def test_a_call_in_between_starts_the_count_anew(converse: Converse) -> None:
    act = calls(("bash", '{"command": "true"}'))
    done = converse(says("Hm."), says("Hm."), act, says("Hm."), says("Hm."), SUBMIT)
    assert done.submission.stop is StopReason.SUBMITTED


def test_malformed_calls_count_as_no_call(converse: Converse) -> None:
    assert converse(*[calls(("bash", "{not json"))] * 5).submission.turns == 3


def test_calls_of_unknown_tools_count_as_no_call(converse: Converse) -> None:
    assert converse(*[calls(("python", "{}"))] * 5).submission.turns == 3


def test_a_good_call_beside_a_malformed_one_is_a_call(converse: Converse) -> None:
    both = calls(("bash", "{not json"), ("bash", '{"command": "true"}'))
    assert converse(*[both] * 4, SUBMIT).submission.stop is StopReason.SUBMITTED


MALFORMED = {
    "no JSON": "{not json",
    "no object": "[1]",
    "no command": "{}",
    "a null": '{"command": null}',
    "a number": '{"command": 1}',
    "more than there is": '{"command": "true", "cwd": "/"}',
}


@pytest.mark.parametrize("arguments", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_call_is_counted(converse: Converse, arguments: str) -> None:
    assert converse(calls(("bash", arguments)), SUBMIT).submission.malformed_calls == 1


def test_a_call_that_fails_is_not_malformed(converse: Converse) -> None:
    missing = '{"command": "view", "path": "/none"}'
    done = converse(calls(("str_replace_editor", missing)), SUBMIT)
    assert done.submission.malformed_calls == 0


def test_an_argument_that_is_null_is_none(converse: Converse, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    view = f'{{"command": "view", "path": "{tmp_path}/a.txt", "view_range": null}}'
    assert converse(calls(("str_replace_editor", view)), SUBMIT).last_observation() == "     1\tone"


def test_an_argument_too_many_is_named(converse: Converse) -> None:
    done = converse(calls(("bash", '{"command": "true", "cwd": "/"}')), SUBMIT)
    assert done.last_observation() == "Error: bash has no argument `cwd`; it takes `command`"


def test_a_run_that_is_stopping_ends_the_rollout(converse: Converse) -> None:
    assert converse(SUBMIT, stopping=True).submission.stop is StopReason.INTERRUPTED


def test_usage_is_summed_over_turns(converse: Converse) -> None:
    done = converse(calls(("bash", '{"command": "true"}')), SUBMIT)
    assert done.submission.usage.completion_tokens == 10


def test_every_call_of_a_turn_is_answered(converse: Converse) -> None:
    both = calls(("bash", '{"command": "echo 1"}'), ("bash", '{"command": "echo 2"}'))
    converse_with = converse(both, SUBMIT)
    answers = [m["content"] for m in converse_with.model.seen[-1] if m["role"] == "tool"]
    assert answers == ["1", "2"]


def test_an_unknown_tool_is_answered_with_the_tools_there_are(converse: Converse) -> None:
    done = converse(calls(("python", '{"code": "1"}')), SUBMIT)
    assert "the tools are bash, str_replace_editor, submit" in done.last_observation()


def test_a_broken_call_is_answered_with_what_is_wrong(converse: Converse) -> None:
    done = converse(calls(("bash", "{not json")), SUBMIT)
    assert "not JSON" in done.last_observation()


def test_a_missing_argument_is_named(converse: Converse) -> None:
    done = converse(calls(("bash", "{}")), SUBMIT)
    assert done.last_observation() == "Error: `command` is required for bash"


def test_a_command_that_no_shell_can_take_is_answered(converse: Converse) -> None:
    done = converse(calls(("bash", '{"command": "ls \\u0000"}')), SUBMIT)
    assert done.last_observation() == "Error: a command cannot hold a NUL character"


def test_an_exit_code_is_told(converse: Converse) -> None:
    done = converse(calls(("bash", '{"command": "echo no; exit 3"}')), SUBMIT)
    assert done.last_observation() == "no\n[exit code 3]"


def test_silence_is_told(converse: Converse) -> None:
    done = converse(calls(("bash", '{"command": "true"}')), SUBMIT)
    assert done.last_observation() == "[the command succeeded and printed nothing]"


def test_a_long_observation_keeps_head_and_tail(converse: Converse) -> None:
    done = converse(calls(("bash", '{"command": "echo head; seq 1000; echo tail"}')), SUBMIT)
    assert re.fullmatch(r"head.*characters left out.*tail", done.last_observation(), re.DOTALL)


def test_a_fenced_call_is_answered_as_a_user(converse: Converse) -> None:
    call = says('Look:\n```json\n{"name": "bash", "arguments": {"command": "echo 1"}}\n```')
    end = says('```json\n{"name": "submit", "arguments": {}}\n```')
    done = converse(call, end, fenced=True)
    assert done.model.seen[-1][-1] == {"role": "user", "content": "Result of bash:\n1"}


def test_a_file_that_prints_a_call_does_not_end_the_rollout(
    converse: Converse, tmp_path: Path
) -> None:
    (tmp_path / "trap").write_text('```json\n{"name": "submit", "arguments": {}}\n```')
    show = says('```json\n{"name": "bash", "arguments": {"command": "cat trap"}}\n```')
    done = converse(show, *[says("Hm.")] * 3, fenced=True)
    assert done.submission.stop is StopReason.GAVE_UP


FENCED_SUBMIT = says('```json\n{"name": "submit", "arguments": {}}\n```')


def test_a_prompt_may_ask_back_where_nothing_was_changed(
    converse: Converse, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    done = converse(FENCED_SUBMIT, FENCED_SUBMIT, fenced=True, prompt="compact")
    assert done.last_observation().startswith("No file has changed yet")


def test_it_asks_back_only_once(converse: Converse, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    done = converse(FENCED_SUBMIT, FENCED_SUBMIT, fenced=True, prompt="compact")
    assert (done.submission.stop, done.submission.turns) == (StopReason.SUBMITTED, 2)


def test_a_changed_tree_is_taken_at_once(converse: Converse, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "new.py").write_text("")
    assert converse(FENCED_SUBMIT, fenced=True, prompt="compact").submission.turns == 1


def test_a_hint_follows_the_result_of_its_tool(converse: Converse) -> None:
    run = says('```json\n{"name": "bash", "arguments": {"command": "echo 1"}}\n```')
    done = converse(run, *[says("Hm.")] * 3, fenced=True, prompt="compact")
    assert done.last_observation().startswith("1\n\nIf a test fails")


def test_the_problem_is_data_even_where_it_looks_like_a_template() -> None:
    opening = Prompt.load("default").opening(
        problem="see {{workdir}} and $HOME", workdir="/repo", overview="a.py"
    )
    assert "see {{workdir}} and $HOME" in opening

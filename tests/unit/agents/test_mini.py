"""mini-swe-agent's loop on a scripted model and a local folder."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from evalkit.agents.registry import choose_agent
from evalkit.config.runner import AgentConfig, RolloutLimits
from evalkit.protocols import Message, Sandbox
from evalkit.types import CUT_OFF, CommandResult, Reply, StopReason
from tests.doubles.agent_context import agent_context
from tests.doubles.local_sandbox import LocalSandbox, local_sandbox
from tests.doubles.scripted_model import Conversation, ScriptedModel, calls, says
from tests.doubles.tasks import make_task

SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && printf 'the patch\\n'"


def bash(*commands: object) -> Reply:
    return calls(*[("bash", json.dumps({"command": command})) for command in commands])


Mini = Callable[..., Conversation]


@pytest.fixture
def mini(tmp_path: Path) -> Mini:
    def run(
        *replies: Reply | Exception,
        open_sandbox: Callable[[], AbstractContextManager[Sandbox]] | None = None,
        stopping: Event | None = None,
        timeout_s: float = 20,
        facts: dict[str, Any] | None = None,
        **limits: Any,
    ) -> Conversation:
        model, lines = ScriptedModel(iter(replies)), list[Message]()
        context = agent_context(
            model,
            stopping=stopping,
            facts=facts,
            config=AgentConfig(name="mini-swe-agent", command_timeout_s=timeout_s),
            limits=RolloutLimits(**limits),
        )
        task = make_task(workdir=str(tmp_path))
        with choose_agent("mini-swe-agent").plugin.open(context) as agent:
            submission = agent.solve(
                task, 1, open_sandbox or (lambda: local_sandbox(tmp_path)), lines.append
            )
        return Conversation(submission, model, lines)

    return run


def test_what_is_submitted_is_the_patch(mini: Mini) -> None:
    done = mini(bash(SUBMIT)).submission
    assert (done.stop, done.patch) == (StopReason.SUBMITTED, "the patch\n")


def test_a_rollout_that_does_not_submit_has_no_patch(mini: Mini) -> None:
    done = mini(bash("printf diff > PATCH"), turns=1).submission
    assert (done.stop, done.patch) == (StopReason.TURN_LIMIT, "")


def test_a_submission_that_fails_is_none(mini: Mini) -> None:
    done = mini(bash(SUBMIT + "; false"), bash(SUBMIT), turns=5)
    assert done.submission.turns == 2


def test_every_command_has_a_shell_of_its_own(mini: Mini) -> None:
    done = mini(bash("x=1; cd /; exit 3"), bash("echo ${x-unset} $PWD"), turns=2)
    assert re.search(r"unset /.+\n", done.last_observation())


def test_commands_see_its_variables(mini: Mini) -> None:
    assert "cat -R\n" in mini(bash("echo $PAGER $LESS"), turns=1).last_observation()


def test_an_exit_code_is_shown_as_it_shows_them(mini: Mini) -> None:
    done = mini(bash("exit 3"), turns=1)
    assert done.last_observation().startswith("<returncode>3</returncode>\n<output>")


def test_the_model_reads_what_the_trajectory_shows(mini: Mini) -> None:
    done = mini(bash("echo hi"), turns=2)
    assert done.model.seen[1][-1]["content"] == done.last_observation()


def test_the_results_of_several_calls_carry_their_ids(mini: Mini) -> None:
    done = mini(bash("echo a", "echo b"), turns=2)
    assert [one.get("tool_call_id") for one in done.model.seen[1][-2:]] == ["call-0", "call-1"]


def test_the_model_is_told_the_tasks_own_folder(mini: Mini, tmp_path: Path) -> None:
    told = str(mini(turns=1).model.seen[0][1]["content"])
    assert (f"files in {tmp_path} (this" in told, "/testbed" in told) == (True, False)


def test_nothing_is_sent_that_no_engine_knows(mini: Mini) -> None:
    done = mini(bash("true"), says("Hm."), bash("true"), turns=4)
    keys = {key for messages in done.model.seen for message in messages for key in message}
    assert keys == {"role", "content", "tool_calls", "tool_call_id"}


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (says("Hm."), "No tool calls found"),
        (calls(("bash", "{not json")), "Error parsing tool call arguments"),
        (calls(("python", '{"command": "1"}')), "Unknown tool 'python'"),
    ],
)
def test_a_turn_without_a_command_is_answered_in_its_words(
    mini: Mini, reply: Reply, told: str
) -> None:
    assert told in str(mini(reply, turns=2).model.seen[1][-1]["content"])


def test_its_answer_to_such_a_turn_is_in_the_trajectory(mini: Mini) -> None:
    lines = mini(says("Hm."), turns=1).lines
    assert "No tool calls found" in str(lines[-2]["content"])


def test_three_such_turns_in_a_row_are_giving_up(mini: Mini) -> None:
    assert mini(*[says("Hm.")] * 5).submission.stop is StopReason.GAVE_UP


@pytest.mark.parametrize("command", [["ls"], "echo \0"])
def test_what_no_shell_can_run_is_told_to_the_model(mini: Mini, command: object) -> None:
    done = mini(bash(command), turns=1)
    assert "An error occurred while executing the command" in done.last_observation()


@dataclass
class SlowSandbox(LocalSandbox):
    """Every command meets its timeout."""

    def run(self, command: str, *, timeout_s: float) -> CommandResult:
        return CommandResult(output="so far\n", exit_code=None, timed_out=True)


def test_a_timeout_is_told_with_what_was_printed(mini: Mini, tmp_path: Path) -> None:
    slow = nullcontext(SlowSandbox(tmp_path))
    said = mini(bash("sleep 9"), open_sandbox=lambda: slow, timeout_s=7, turns=1).last_observation()
    assert ("Command 'sleep 9' timed out after 7" in said, "so far" in said) == (True, True)


@dataclass
class ShortSandbox(LocalSandbox):
    """Keeps 45 characters of what a command prints, as a sandbox does with half a MiB."""

    def run(self, command: str, *, timeout_s: float) -> CommandResult:
        done = super().run(command, timeout_s=timeout_s)
        kept = done.output[:45]
        return done.model_copy(
            update={"output": kept, "omitted_bytes": len(done.output) - len(kept)}
        )


def test_a_submission_too_long_for_a_shell_is_whole(mini: Mini, tmp_path: Path) -> None:
    short = nullcontext(ShortSandbox(tmp_path))
    long = bash("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && seq 1000")
    patch = mini(long, open_sandbox=lambda: short).submission.patch
    assert patch.splitlines() == [str(number) for number in range(1, 1001)]


def test_a_full_context_ends_the_rollout(mini: Mini) -> None:
    assert mini(bash("true")).submission.stop is StopReason.CONTEXT_LIMIT


def test_an_answer_that_is_cut_off_ends_the_rollout(mini: Mini) -> None:
    cut = bash("true").model_copy(update={"finish_reason": CUT_OFF})
    assert mini(cut).submission.stop is StopReason.TIME_LIMIT


def test_the_time_limit_ends_the_rollout(mini: Mini) -> None:
    assert mini(*[bash("sleep 0.3")] * 2, seconds=0.2).submission.stop is StopReason.TIME_LIMIT


def test_the_token_limit_ends_the_rollout(mini: Mini) -> None:
    done = mini(*[bash("true")] * 5, completion_tokens=7)
    assert (done.submission.stop, done.model.allowed) == (StopReason.TOKEN_LIMIT, [7, 2])


def test_a_run_that_is_stopping_ends_the_rollout(mini: Mini) -> None:
    stopping = Event()
    stopping.set()
    assert mini(bash(SUBMIT), stopping=stopping).submission.stop is StopReason.INTERRUPTED


def test_turns_and_tokens_are_counted(mini: Mini) -> None:
    done = mini(bash("true"), bash(SUBMIT)).submission
    assert (done.turns, done.usage.completion_tokens, done.timings.llm_s) == (2, 10, 1.0)


def test_the_trajectory_has_the_lines_of_any_agents(mini: Mini) -> None:
    lines = mini(bash("true"), bash(SUBMIT)).lines
    kinds = ["message", "message", "turn", "tool", "turn", "tool", "stop"]
    assert [line["kind"] for line in lines] == kinds


def test_the_run_says_which_version_and_configuration_it_was(mini: Mini) -> None:
    facts: dict[str, Any] = {}
    mini(turns=1, facts=facts)
    assert re.fullmatch(r"2\.4\.\d+", facts["scaffold"]["version"])


ALONE = """
import sys
from evalkit.agents.mini.agent import PLUGIN
from tests.doubles.agent_context import agent_context
from tests.doubles.scripted_model import ScriptedModel
with PLUGIN.open(agent_context(ScriptedModel(iter([])))):
    import minisweagent.agents.default
print("litellm" in sys.modules)
"""


def test_opening_it_prints_nothing_leaves_nothing_at_home_and_imports_no_litellm(
    tmp_path: Path,
) -> None:
    checkout = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        env={"HOME": str(tmp_path), "PYTHONPATH": ":".join([checkout, *sys.path[1:]])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout + done.stderr, list(tmp_path.iterdir())) == ("False\n", [])

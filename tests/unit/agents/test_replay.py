"""A recorded run is done again: the same calls, another sandbox, no model."""

import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.agents.plugin import AgentContext
from evalkit.agents.registry import choose_agent
from evalkit.config.runner import AgentConfig, RolloutLimits
from evalkit.errors import ConfigError, StoreError
from evalkit.protocols import Message
from evalkit.types import CUT_OFF, Reply, StopReason, Submission
from tests.doubles.agent_context import agent_context
from tests.doubles.local_sandbox import local_sandbox
from tests.doubles.scripted_model import SUBMIT, ScriptedModel, calls, says
from tests.doubles.tasks import make_task

WRITE = calls(("bash", '{"command": "printf diff > PATCH"}'))
LOOK = calls(("bash", '{"command": "cat state || true"}'))
MINI_SUBMIT = calls(
    ("bash", '{"command": "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat PATCH"}')
)


class Recording:
    """A run folder of one attempt, made by an agent in one folder and replayed in another."""

    def __init__(self, home: Path) -> None:
        self.run, self.then, self.now = (home / name for name in ("run", "then", "now"))
        self.then.mkdir()
        self.now.mkdir()
        self.task = make_task(workdir=str(self.now))
        self.facts: dict[str, Any] = {}
        self.lines: list[Message] = []

    @property
    def trajectory(self) -> Path:
        return self.run / "tasks" / self.task.id / "1" / "trajectory.jsonl"

    def make(self, *replies: Reply, agent: str = "tools", **limits: Any) -> Submission:
        context = agent_context(ScriptedModel(iter(replies)), limits=RolloutLimits(**limits))
        lines: list[Message] = []
        with choose_agent(agent).plugin.open(context) as opened:
            made = opened.solve(self.task, 1, lambda: local_sandbox(self.then), lines.append)
        self.trajectory.parent.mkdir(parents=True)
        self.trajectory.write_text("".join(json.dumps(line) + "\n" for line in lines))
        manifest = {
            "run_id": "old-1",
            "agent": agent,
            "model": "a model",
            "prompt_sha256": "12ab",
            "runner": {
                "label": "a model",
                "agent": AgentConfig().model_dump(mode="json"),
                "limits": RolloutLimits(**limits).model_dump(mode="json"),
            },
        }
        (self.run / "run.json").write_text(json.dumps(manifest))
        return made

    def context(self, attempts: int = 1) -> AgentContext:
        return agent_context(
            argument=str(self.run), tasks=(self.task,), attempts=attempts, facts=self.facts
        )

    def replay(self) -> Submission:
        with choose_agent(f"replay:{self.run}").plugin.open(self.context()) as agent:
            return agent.solve(self.task, 1, lambda: local_sandbox(self.now), self.lines.append)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path)


def test_the_calls_are_executed_again(recording: Recording) -> None:
    recording.make(WRITE, SUBMIT)
    assert recording.replay().patch == "diff"


def test_the_new_trajectory_has_the_lines_of_the_old(recording: Recording) -> None:
    recording.make(WRITE, says("Hm."), SUBMIT)
    recording.replay()
    old = [json.loads(line) for line in recording.trajectory.read_text().splitlines()]
    assert [line["kind"] for line in recording.lines] == [line["kind"] for line in old]


def test_the_end_counts_calls_and_differing_observations(recording: Recording) -> None:
    recording.make(LOOK, WRITE, SUBMIT)
    recording.replay()
    end = {"kind": "stop", "reason": "submitted", "calls": 2, "differing": 0}
    assert recording.lines[-1] == end


def test_an_observation_that_differs_is_shown_beside_the_recorded_one(
    recording: Recording,
) -> None:
    (recording.then / "state").write_text("then")
    (recording.now / "state").write_text("now")
    recording.make(LOOK, WRITE, SUBMIT)
    recording.replay()
    looked = next(line for line in recording.lines if line["kind"] == "tool")
    assert (looked["observation"], looked["recorded"]) == ("now", "then")


def test_differing_observations_are_counted(recording: Recording) -> None:
    (recording.now / "state").write_text("now")
    recording.make(LOOK, WRITE, LOOK, SUBMIT)
    recording.replay()
    assert recording.lines[-1]["differing"] == 2


def test_a_replay_uses_no_tokens(recording: Recording) -> None:
    recording.make(WRITE, SUBMIT)
    done = recording.replay()
    assert (done.turns, done.usage.completion_tokens, done.timings.llm_s) == (2, 0, 0.0)


CUT = says("Well").model_copy(update={"finish_reason": CUT_OFF})
ENDS: dict[StopReason, tuple[tuple[Reply, ...], dict[str, Any]]] = {
    StopReason.SUBMITTED: ((WRITE, SUBMIT), {}),
    StopReason.TURN_LIMIT: ((WRITE, LOOK), {"turns": 2}),
    StopReason.TOKEN_LIMIT: ((WRITE, LOOK), {"completion_tokens": 9}),
    StopReason.CONTEXT_LIMIT: ((WRITE,), {}),
    StopReason.TIME_LIMIT: ((WRITE, CUT), {}),
    StopReason.GAVE_UP: ((WRITE, *[says("Hm.")] * 3), {}),
}


@pytest.mark.parametrize("stop", ENDS)
def test_it_ends_as_the_recording_did(recording: Recording, stop: StopReason) -> None:
    replies, limits = ENDS[stop]
    made = recording.make(*replies, **limits)
    done = recording.replay()
    assert (made.stop, done.stop, done.patch) == (stop, stop, "diff")


@pytest.mark.parametrize("stop", ENDS)
def test_the_line_of_the_end_says_the_same(recording: Recording, stop: StopReason) -> None:
    replies, limits = ENDS[stop]
    recording.make(*replies, **limits)
    recording.replay()
    assert recording.lines[-1]["reason"] == stop


def test_a_recording_that_was_broken_off_is_replayed_up_to_there(recording: Recording) -> None:
    recording.make(WRITE, SUBMIT)
    *whole, _ = recording.trajectory.read_text().splitlines(keepends=True)[:-1]
    recording.trajectory.write_text("".join(whole) + '{"kind": "tu')
    done = recording.replay()
    assert (done.stop, done.patch) == (StopReason.INTERRUPTED, "diff")


def test_the_agent_that_was_there_executes_the_calls(recording: Recording) -> None:
    made = recording.make(WRITE, MINI_SUBMIT, agent="mini-swe-agent")
    assert recording.replay().patch == made.patch == "diff"


def test_the_run_tells_whose_answers_it_replayed(recording: Recording) -> None:
    recording.make(WRITE, SUBMIT)
    recording.replay()
    told = recording.facts
    assert (told["model"], told["replayed"]["run_id"]) == ("a model", "old-1")


def opened(recording: Recording, attempts: int = 1) -> None:
    with choose_agent(f"replay:{recording.run}").plugin.open(recording.context(attempts)):
        pass


def test_attempts_that_were_not_recorded_are_refused_at_once(recording: Recording) -> None:
    recording.make(WRITE, SUBMIT)
    with pytest.raises(ConfigError, match="1 of 2 attempts, the first is attempt 2 of"):
        opened(recording, attempts=2)


def test_a_run_whose_agent_asked_no_model_is_refused(recording: Recording) -> None:
    recording.make(WRITE, SUBMIT)
    manifest = json.loads((recording.run / "run.json").read_text()) | {"agent": "gold"}
    (recording.run / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(ConfigError, match="made by gold, which asks no model"):
        opened(recording)


@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_what_is_no_run_folder_is_refused(recording: Recording, content: str | None) -> None:
    recording.run.mkdir()
    if content is not None:
        (recording.run / "run.json").write_text(content)
    with pytest.raises(ConfigError, match=r"run\.json"):
        opened(recording)


def test_a_damaged_trajectory_is_named(recording: Recording) -> None:
    recording.make(WRITE, SUBMIT)
    recording.trajectory.write_text("{}}\n")
    with pytest.raises(StoreError, match="is damaged"):
        recording.replay()

"""The `replay` agent does again, in fresh sandboxes, what a recorded run did.

The recorded answers stand in for the model. The agent that was there reads and executes them as it
did then, so every agent can be replayed that asks `Served.chat` and records its turns.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from evalkit.agents.plugin import AgentContext, AgentPlugin, Served
from evalkit.agents.registry import choose_agent
from evalkit.config.runner import AgentConfig, RolloutLimits
from evalkit.config.yaml_files import validate
from evalkit.errors import ConfigError, ContextLimitError, StoreError
from evalkit.protocols import Message, Sandbox
from evalkit.types import Record, Reply, StopReason, Submission, Task, ToolCall

Lines = Sequence[Mapping[str, Any]]


class _RecordedRunner(Record):
    model_config = ConfigDict(extra="ignore")

    agent: AgentConfig
    limits: RolloutLimits


class _RecordedRun(Record):
    """What a replay needs of run.json."""

    model_config = ConfigDict(extra="ignore")

    run_id: str
    agent: str
    model: str
    prompt_sha256: str
    runner: _RecordedRunner
    agent_config: AgentConfig | None = None
    """The runner's, completed by its prompt, of an agent that does so."""


class RecordedModel:
    """Answers as was recorded, in order; then its context is full, which ends any rollout.

    Answers cost no tokens and no time: no model made them.
    """

    def __init__(self, lines: Lines) -> None:
        self._turns = iter([line for line in lines if line["kind"] == "turn"])
        self.is_over = False

    def chat(
        self,
        messages: Sequence[Message],  # noqa: ARG002 - protocol
        tools: Sequence[Message],  # noqa: ARG002 - protocol
        *,
        deadline: float,  # noqa: ARG002 - protocol
        max_tokens: int | None = None,  # noqa: ARG002 - protocol
    ) -> Reply:
        """Return the next answer."""
        turn = next(self._turns, None)
        if turn is None:
            self.is_over = True
            raise ContextLimitError("the recording is at its end")
        return Reply(
            text=turn["text"],
            tool_calls=tuple(ToolCall.model_validate(call) for call in turn["tool_calls"]),
            finish_reason=turn["finish_reason"],
        )


class Comparison:
    """Records a new trajectory, and in it where an observation is not what it was.

    Such a line gets the key `recorded`, the old observation, None where there was none; the line
    of the end counts them.
    """

    def __init__(
        self, record: Callable[[Message], None], lines: Lines, model: RecordedModel
    ) -> None:
        self._record, self._model = record, model
        self._then = iter([line["observation"] for line in lines if line["kind"] == "tool"])
        stops = [StopReason(line["reason"]) for line in lines if line["kind"] == "stop"]
        self._stop = stops[-1] if stops else StopReason.INTERRUPTED
        self._calls = self._differing = 0

    def __call__(self, line: Message) -> None:
        """Take a line of the new trajectory."""
        if line["kind"] == "tool":
            line = self._compared(line)
        elif line["kind"] == "stop":
            counts = {"calls": self._calls, "differing": self._differing}
            line = {**line, "reason": self.stop(StopReason(str(line["reason"]))), **counts}
        self._record(line)

    def stop(self, now: StopReason) -> StopReason:
        """Return why the rollout ended: as then, where it came to the recording's end."""
        return self._stop if self._model.is_over else now

    def _compared(self, line: Message) -> Message:
        then = next(self._then, None)
        self._calls += 1
        if line["observation"] == then:
            return line
        self._differing += 1
        return {**line, "recorded": then}


@dataclass(frozen=True, kw_only=True)
class ReplayAgent:
    """Replays each attempt by the agent that was there."""

    folder: Path
    plugin: AgentPlugin
    context: AgentContext
    """What that agent had, but for its model."""

    def solve(
        self,
        task: Task,
        attempt: int,
        open_sandbox: Callable[[], AbstractContextManager[Sandbox]],
        record: Callable[[Message], None],
    ) -> Submission:
        """Do again what was done; the patch is that of the new sandbox."""
        lines = _trajectory(_path(self.folder, task.id, attempt))
        model = RecordedModel(lines)
        comparison = Comparison(record, lines, model)
        served = Served(chat=model, url="", name="", api_key="")
        with self.plugin.open(replace(self.context, serve=lambda: nullcontext(served))) as agent:
            submission = agent.solve(task, attempt, open_sandbox, comparison)
        return submission.model_copy(update={"stop": comparison.stop(submission.stop)})


@contextmanager
def _open(context: AgentContext) -> Iterator[ReplayAgent]:
    folder = Path(context.argument)
    run = _recorded_run(folder)
    chosen = choose_agent(run.agent)
    if not chosen.plugin.needs_engine:
        raise ConfigError(f"{folder} was made by {run.agent}, which asks no model")
    _check_complete(context, folder)
    runner = run.runner.model_dump(mode="json")
    context.describe(
        model=run.model,
        prompt_sha256=run.prompt_sha256,
        replayed={"run_id": run.run_id, "agent": run.agent, **runner},
    )
    then = replace(
        context,
        argument="",
        config=run.agent_config or run.runner.agent,
        limits=run.runner.limits,
        describe=lambda **_: None,
    )
    yield ReplayAgent(folder=folder, plugin=chosen.plugin, context=then)


def _check_complete(context: AgentContext, folder: Path) -> None:
    wanted = [(task.id, n) for task in context.tasks for n in range(1, context.attempts + 1)]
    lost = [(task_id, n) for task_id, n in wanted if not _path(folder, task_id, n).is_file()]
    if lost:
        task_id, attempt = lost[0]
        raise ConfigError(
            f"{folder} has no trajectory of {len(lost)} of {len(wanted)} attempts, "
            f"the first is attempt {attempt} of {task_id}",
            hint="choose what it has, with -i, --slice, --filter and -k",
        )


def _path(folder: Path, task_id: str, attempt: int) -> Path:
    return folder / "tasks" / task_id / str(attempt) / "trajectory.jsonl"


def _recorded_run(folder: Path) -> _RecordedRun:
    path = folder / "run.json"
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from error
    return validate(_RecordedRun, manifest, source=str(path))


def _trajectory(path: Path) -> Lines:
    """Read a trajectory; a last line without its end was being written as the run was killed."""
    try:
        *whole, _ = path.read_bytes().split(b"\n")
        return [json.loads(line) for line in whole]
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise StoreError(f"{path} is damaged: {error}") from error


PLUGIN = AgentPlugin(
    what="does again what a recorded run did and grades it anew; asks no model, needs no engine",
    open=_open,
    needs_engine=False,
    argument="RUN_DIR",
)

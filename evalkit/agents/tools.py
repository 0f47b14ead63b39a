"""The `tools` agent: a loop of model turns and tool calls, on the host."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Event

from evalkit.agents.account import Account
from evalkit.agents.plugin import AgentContext, AgentPlugin
from evalkit.agents.prompt import Prompt
from evalkit.agents.rollout import Rollout
from evalkit.agents.scaffold import open_prompt, scaffold_commit
from evalkit.config.runner import AgentConfig, RolloutLimits
from evalkit.protocols import ChatModel, Message, Sandbox
from evalkit.types import Submission, Task


@dataclass(frozen=True, kw_only=True)
class ToolAgent:
    """Lets a model work with `bash`, `str_replace_editor` and `submit`."""

    model: ChatModel
    prompt: Prompt
    config: AgentConfig
    limits: RolloutLimits
    stopping: Event
    """Set when the run is being stopped: the rollout ends at its next turn."""

    def solve(
        self,
        task: Task,
        attempt: int,
        open_sandbox: Callable[[], AbstractContextManager[Sandbox]],
        record: Callable[[Message], None],
    ) -> Submission:
        """Work until the model submits or a limit is met; the patch is what the tree shows."""
        account = Account(record=record, limits=self.limits, stopping=self.stopping)
        with open_sandbox() as sandbox:
            setup_s = time.monotonic() - account.begun
            rollout = Rollout(
                model=self.model,
                prompt=self.prompt,
                config=self.config,
                sandbox=sandbox,
                account=account,
            )
            stop = rollout.run(task)
            patch = sandbox.patch()
        return Submission(
            task_id=task.id,
            attempt=attempt,
            patch=patch,
            stop=stop,
            turns=account.turns,
            malformed_calls=rollout.malformed_calls,
            usage=account.usage,
            timings=account.timings(setup_s),
        )


@contextmanager
def _open(context: AgentContext) -> Iterator[ToolAgent]:
    prompt = open_prompt(context.config, context.cache, context.say)
    config = prompt.settle(context.config)
    context.describe(
        prompt_sha256=prompt.sha256,
        # A checkout that the user named may hold anything.
        prompt_commit=None if config.scaffold else scaffold_commit(config),
        agent_config=config.model_dump(mode="json"),
    )
    with context.serve() as served:
        yield ToolAgent(
            model=served.chat,
            prompt=prompt,
            config=config,
            limits=context.limits,
            stopping=context.stopping,
        )


PLUGIN = AgentPlugin(what="a model with bash, str_replace_editor and submit", open=_open)

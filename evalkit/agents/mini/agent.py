"""The plug-in: mini-swe-agent's own loop and SWE-bench configuration, our engine and sandbox.

Of its configuration the runner decides turns, time and command timeout, and the cost limit is off:
an engine of one's own has no price list. The prompt's /testbed is the task's own working directory.
The patch is what the model submits, as upstream: a rollout that ends otherwise has none.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Lock
from typing import Any

from evalkit.agents.account import Account
from evalkit.agents.mini.environment import SandboxEnvironment
from evalkit.agents.mini.model import MiniModel
from evalkit.agents.plugin import AgentContext, AgentPlugin
from evalkit.config.runner import RolloutLimits
from evalkit.config.yaml_files import read_yaml
from evalkit.protocols import ChatModel, Message, Sandbox
from evalkit.types import StopReason, Submission, Task

_TESTBED = "/testbed"
_STOPS = {
    "Submitted": StopReason.SUBMITTED,
    "LimitsExceeded": StopReason.TURN_LIMIT,
    "RepeatedFormatError": StopReason.GAVE_UP,
}
"""Its exit statuses; the others are ours already."""

_importing = Lock()


@dataclass(frozen=True, kw_only=True)
class MiniAgent:
    """Lets a model work with bash alone."""

    model: ChatModel
    recipe: dict[str, Any]
    """Its configuration: the sections `agent`, `environment` and `model`."""
    command_timeout_s: float
    limits: RolloutLimits
    stopping: Event

    def solve(
        self,
        task: Task,
        attempt: int,
        open_sandbox: Callable[[], AbstractContextManager[Sandbox]],
        record: Callable[[Message], None],
    ) -> Submission:
        """Work until the model submits or a limit is met."""
        from minisweagent.agents.default import DefaultAgent

        account = Account(record=record, limits=self.limits, stopping=self.stopping)
        with open_sandbox() as sandbox:
            setup_s = time.monotonic() - account.begun
            # Any, since its protocols name members that its loop never uses.
            model: Any = self._model(account)
            environment: Any = self._environment(task, sandbox, account)
            agent = DefaultAgent(model, environment, **self._settings(task))
            ended = agent.run(task.problem)
        status = ended["exit_status"]
        stop = _STOPS.get(status) or StopReason(status)
        record({"kind": "stop", "reason": stop})
        return Submission(
            task_id=task.id,
            attempt=attempt,
            patch=ended["submission"],
            stop=stop,
            turns=account.turns,
            usage=account.usage,
            timings=account.timings(setup_s),
        )

    def _model(self, account: Account) -> MiniModel:
        return MiniModel(
            chat=self.model,
            observation_template=self.recipe["model"]["observation_template"],
            format_error_template=self.recipe["model"]["format_error_template"],
            account=account,
        )

    def _environment(self, task: Task, sandbox: Sandbox, account: Account) -> SandboxEnvironment:
        return SandboxEnvironment(
            sandbox=sandbox,
            workdir=task.workdir,
            interpreter=self.recipe["environment"]["interpreter"],
            variables=self.recipe["environment"]["env"],
            observation_template=self.recipe["model"]["observation_template"],
            timeout_s=self.command_timeout_s,
            account=account,
        )

    def _settings(self, task: Task) -> dict[str, Any]:
        own = self.recipe["agent"]
        instance = own["instance_template"].replace(_TESTBED, task.workdir)
        ours = {"step_limit": self.limits.turns, "cost_limit": 0}
        return {**own, "instance_template": instance, **ours}


@contextmanager
def _open(context: AgentContext) -> Iterator[MiniAgent]:
    path = _packaged(context.environ)
    context.describe(
        scaffold={
            "package": "mini-swe-agent",
            "version": metadata.version("mini-swe-agent"),
            "config": path.name,
        },
        prompt_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    with context.serve() as served:
        yield MiniAgent(
            model=served.chat,
            recipe=read_yaml(path),
            command_timeout_s=context.config.command_timeout_s,
            limits=context.limits,
            stopping=context.stopping,
        )


def _packaged(environ: MutableMapping[str, str]) -> Path:
    """Import the package, without a banner, and return its SWE-bench configuration.

    As it is imported it makes a folder for its settings and reads the .env there, in the user's
    home: ours is empty and short-lived.
    """
    with _importing, TemporaryDirectory() as folder:
        environ["MSWEA_SILENT_STARTUP"] = "1"
        environ["MSWEA_GLOBAL_CONFIG_DIR"] = folder
        from minisweagent.config import builtin_config_dir
    return Path(builtin_config_dir) / "benchmarks" / "swebench.yaml"


PLUGIN = AgentPlugin(
    what="a model with bash alone, in the loop and the words of mini-swe-agent",
    open=_open,
    requires={"minisweagent": "pip install 'evalkit[mini-swe-agent]'"},
)

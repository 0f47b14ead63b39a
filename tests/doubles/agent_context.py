"""What an agent may use in a unit test: a scripted model, no run folder."""

from contextlib import nullcontext
from pathlib import Path
from threading import Event
from typing import Any

from evalkit.agents.plugin import AgentContext, Served
from evalkit.cli.wiring import process_environment
from evalkit.config.runner import AgentConfig, RolloutLimits
from evalkit.protocols import ChatModel
from evalkit.types import Task


def agent_context(
    model: ChatModel | None = None,
    *,
    argument: str = "",
    tasks: tuple[Task, ...] = (),
    attempts: int = 1,
    stopping: Event | None = None,
    facts: dict[str, Any] | None = None,
    limits: RolloutLimits | None = None,
    config: AgentConfig | None = None,
) -> AgentContext:
    """A context whose facts for run.json go into `facts`."""

    def serve() -> nullcontext[Served]:
        assert model is not None, "this agent said that it needs no engine"
        return nullcontext(Served(chat=model, url="", name="scripted", api_key=""))

    return AgentContext(
        argument=argument,
        tasks=tasks,
        attempts=attempts,
        config=config or AgentConfig(),
        limits=limits or RolloutLimits(),
        stopping=stopping or Event(),
        serve=serve,
        describe=(facts if facts is not None else {}).update,
        environ=process_environment(),
        cache=Path("no-cache"),
        say=print,
    )

"""What makes an agent: an `AgentPlugin`, found through the entry points group `evalkit.agents`."""

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from evalkit.config.runner import AgentConfig, RolloutLimits
from evalkit.protocols import Agent, ChatModel
from evalkit.types import Task


@dataclass(frozen=True, kw_only=True)
class Served:
    """A model that answers: through `chat`, or at `url` for an agent with a client of its own."""

    chat: ChatModel
    """Keeps deadlines, retries what may pass, and breaks off where the run is being stopped."""
    url: str
    """With its /v1."""
    name: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AgentContext:
    """What an agent may use during one run."""

    argument: str
    """What follows the colon of `--agent NAME:ARGUMENT`."""
    tasks: tuple[Task, ...]
    attempts: int
    """Of each task."""
    config: AgentConfig
    limits: RolloutLimits
    stopping: Event
    """Set when the run is being stopped: rollouts end at their next turn."""
    serve: Callable[[], AbstractContextManager[Served]]
    """Starts the runner's engine, which lasts as long as the block."""
    describe: Callable[..., None]
    """Adds facts to run.json, by keyword; a key that is there is written anew."""
    environ: MutableMapping[str, str]
    """The environment of this process, for packages that are configured by it."""
    cache: Path
    """Where what is fetched once may be kept."""
    say: Callable[[str], None]
    """Tells one line of progress."""


@dataclass(frozen=True, kw_only=True)
class AgentPlugin:
    """An agent that can be named on the command line."""

    what: str
    """One line for `evalkit agents`."""
    open: Callable[[AgentContext], AbstractContextManager[Agent]]
    """Called once a run; the agent then serves all its rollouts, each in a thread of its own."""
    needs_engine: bool = True
    """False: it asks no model, and the score is its own."""
    argument: str = ""
    """What NAME: must be followed by, in capitals, as DIR; empty where NAME stands alone."""
    requires: Mapping[str, str] = field(default_factory=dict)
    """Module that `open` imports to the command that installs it, where it may be missing."""

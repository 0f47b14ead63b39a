"""The agents of this machine: ours and those of any other installed package."""

from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

from evalkit.agents.plugin import AgentPlugin
from evalkit.config.names import unknown_name
from evalkit.errors import ConfigError

GROUP = "evalkit.agents"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """An agent as the command line named it."""

    name: str
    argument: str
    plugin: AgentPlugin


@dataclass(frozen=True)
class Unusable:
    """An agent that is installed and cannot be had."""

    why: str


def installed_agents() -> dict[str, AgentPlugin | Unusable]:
    """Load every agent's plug-in, by name; one that is broken does not hide the others."""
    found: dict[str, AgentPlugin | Unusable] = {}
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda one: one.name):
        if entry.name in found:
            found[entry.name] = Unusable("two packages offer an agent of this name")
        else:
            found[entry.name] = _load(entry)
    return found


def missing(plugin: AgentPlugin) -> list[str]:
    """Return the commands that install what the plug-in lacks here."""
    return [command for module, command in plugin.requires.items() if find_spec(module) is None]


def choose_agent(spec: str) -> Chosen:
    """Find the agent that `NAME` or `NAME:ARGUMENT` means. Raises ConfigError."""
    name, colon, argument = spec.partition(":")
    agents = installed_agents()
    if name not in agents:
        raise unknown_name("agent", name, agents)
    plugin = agents[name]
    if isinstance(plugin, Unusable):
        raise ConfigError(f"agent {name} cannot be used: {plugin.why}")
    if lacking := missing(plugin):
        raise ConfigError(f"agent {name} is not complete here", hint="; ".join(lacking))
    if plugin.argument and not argument:
        raise ConfigError(f"agent {name} wants an argument: --agent {name}:{plugin.argument}")
    if colon and not plugin.argument:
        raise ConfigError(f"agent {name} takes no argument: --agent {name}")
    return Chosen(name=name, argument=argument, plugin=plugin)


def _load(entry: metadata.EntryPoint) -> AgentPlugin | Unusable:
    try:
        plugin = entry.load()
    except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything
        return Unusable(f"{entry.value}: {type(error).__name__}: {error}")
    if not isinstance(plugin, AgentPlugin):
        return Unusable(f"{entry.value} is no AgentPlugin but {type(plugin).__name__}")
    return plugin

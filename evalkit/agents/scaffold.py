"""The published scaffold's prompt, read at use from its public repository: `sweagent@COMMIT`.

Its configuration and the descriptions of its tools are YAML. What it takes from its own defaults
(the bash tool, the words for cut, failed or missing calls) stands in its Python source as literals,
which are read and not run.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from evalkit.agents.literals import constant
from evalkit.agents.observation import ScaffoldWords
from evalkit.agents.prompt import Prompt
from evalkit.agents.templates import check, render
from evalkit.config.runner import AgentConfig
from evalkit.config.yaml_files import read_yaml, validate
from evalkit.errors import ConfigError
from evalkit.sources import Pinned
from evalkit.types import Record

# Scale's fork of SWE-agent 1.1.0 lay here until 2025-10-28, when it became a submodule.
REPOSITORY = "https://github.com/scaleapi/SWE-bench_Pro-os"
_SUBFOLDER = "SWE-agent"
_CONFIG = "config/tool_use.yaml"
_AGENTS, _PARSING, _COMMANDS = (
    f"sweagent/{name}.py" for name in ("agent/agents", "tools/parsing", "tools/commands")
)
_NAME = "sweagent@"
_INSTEAD = "--set agent.scaffold=DIR takes a checkout that you have"
_BUNDLES = ("tools/registry", "tools/edit_anthropic", "tools/submit")
"""Whose tools we have: none, `str_replace_editor`, and `submit` without a review."""


_FILES = (_CONFIG, _AGENTS, _PARSING, _COMMANDS, *(f"{path}/config.yaml" for path in _BUNDLES))


class _Templates(Record):
    system_template: str
    instance_template: str
    next_step_template: str
    next_step_no_output_template: str


class _Bundle(Record):
    path: str


class _Parser(Record):
    type: Literal["function_calling"]


class _ToolsConfig(Record):
    execution_timeout: float
    bundles: tuple[_Bundle, ...]
    env_variables: dict[str, str] = {}
    enable_bash_tool: Literal[True]
    parse_function: _Parser


class _Agent(Record):
    templates: _Templates
    tools: _ToolsConfig


class _Config(Record):
    """A configuration of SWE-agent. A key that evalkit would not honour is an error."""

    agent: _Agent


class _Argument(Record):
    name: str
    type: str
    items: dict[str, str] | None = None
    description: str
    required: bool
    enum: list[str] | None = None
    argument_format: str = ""


class _Command(Record):
    name: str
    docstring: str | None = None
    signature: str | None = None
    arguments: tuple[_Argument, ...] = ()

    def described(self) -> dict[str, Any]:
        """Build what `get_function_calling_tool` of sweagent/tools/commands.py builds."""
        properties = {
            one.name: one.model_dump(
                include={"type", "description", "items", "enum"}, exclude_none=True
            )
            for one in self.arguments
        }
        required = [one.name for one in self.arguments if one.required]
        parameters = {"type": "object", "properties": properties, "required": required}
        function = {
            "name": self.name,
            "description": self.docstring or "",
            "parameters": parameters,
        }
        return {"type": "function", "function": function}


class _BundleConfig(Record):
    tools: dict[str, dict[str, Any]]
    state_command: str = ""
    """Of no use here: what it tells is not in the templates."""


def open_prompt(
    config: AgentConfig, cache: Path, say: Callable[[str], None], repository: str = REPOSITORY
) -> Prompt:
    """Return the prompt a runner names: one of ours, or a scaffold's, fetched once.

    Raises ConfigError, or SourceError where it cannot be fetched.
    """
    commit = scaffold_commit(config)
    if commit is None:
        return Prompt.load(config.prompt)
    if config.scaffold is not None:
        return scaffold_prompt(config.scaffold)
    pinned = Pinned(
        what="SWE-agent prompt",
        repository=repository,
        commit=commit,
        paths=[f"{_SUBFOLDER}/{path}" for path in _FILES],
        instead=_INSTEAD,
    )
    return scaffold_prompt(pinned.fetch(cache / "sweagent" / commit, say))


def scaffold_commit(config: AgentConfig) -> str | None:
    """Return the commit of `sweagent@COMMIT`, None for prompts of ours. Raises ConfigError."""
    if not config.prompt.startswith(_NAME):
        return None
    commit = config.prompt.removeprefix(_NAME)
    if not re.fullmatch("[0-9a-f]{40}", commit):
        raise ConfigError(f"{config.prompt!r} should name a whole commit: 40 hex digits")
    return commit


def scaffold_prompt(folder: Path) -> Prompt:
    """Read a checkout: of SWE-agent, or of a repository that holds it. Raises ConfigError."""
    root = folder / _SUBFOLDER if (folder / _SUBFOLDER).is_dir() else folder
    if not (root / _CONFIG).is_file():
        raise ConfigError(f"{folder} holds no SWE-agent with {_CONFIG}", hint=_INSTEAD)
    config = validate(_Config, read_yaml(root / _CONFIG), _CONFIG).agent
    words = _words(root, config.templates)
    return Prompt(
        system=render(_template(config.templates, "system_template")),
        instance=_template(
            config.templates, "instance_template", "problem_statement", "working_dir"
        ),
        no_call=render(words.misformed, error_code="missing", exception_message=""),
        tools=tuple(command.described() for command in _commands(root, config.tools)),
        scaffold=words,
        command_timeout_s=config.tools.execution_timeout,
        observation_chars=constant(root / _AGENTS, "TemplateConfig.max_observation_length", int),
    )


def _words(root: Path, templates: _Templates) -> ScaffoldWords:
    return ScaffoldWords(
        observation=_template(templates, "next_step_template", "observation"),
        silent=_template(templates, "next_step_no_output_template", "observation"),
        clipped=_default(
            root / _AGENTS,
            "TemplateConfig.next_step_truncated_observation_template",
            "observation",
            "elided_chars",
            "max_observation_length",
        ),
        timed_out=_default(
            root / _AGENTS,
            "TemplateConfig.command_cancelled_timeout_template",
            "command",
            "timeout",
        ),
        misformed=_default(
            root / _PARSING,
            "FunctionCallingParser.error_message",
            "error_code",
            "exception_message",
        ),
    )


def _template(templates: _Templates, name: str, *known: str) -> str:
    return _checked(getattr(templates, name), known, f"{_CONFIG}: {name}")


def _default(source: Path, name: str, *known: str) -> str:
    return _checked(constant(source, name, str), known, f"{source.name}: {name}")


def _checked(text: str, known: tuple[str, ...], source: str) -> str:
    # SWE-agent's jinja2 drops one newline at a template's end, ours keeps it.
    return check(text.removesuffix("\n"), set(known), source)


def _commands(root: Path, config: _ToolsConfig) -> list[_Command]:
    """Return bash and the bundles' tools, in the order of `ToolConfig.commands`."""
    found = [validate(_Command, constant(root / _COMMANDS, "BASH_COMMAND", dict), _COMMANDS)]
    for bundle in config.bundles:
        if bundle.path not in _BUNDLES:
            raise ConfigError(f"{_CONFIG}: evalkit does not know the tools of {bundle.path}")
        source = f"{bundle.path}/config.yaml"
        tools = validate(_BundleConfig, read_yaml(root / source), source).tools
        found += [
            validate(_Command, {"name": name, **fields}, source) for name, fields in tools.items()
        ]
    return found

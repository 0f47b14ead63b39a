"""Prompts are files: `prompts/NAME.yaml`, versioned with the code, hashed into the run folder."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from evalkit.agents.observation import OwnWords, ScaffoldWords, Words
from evalkit.agents.templates import render
from evalkit.config.names import unknown_name
from evalkit.config.runner import AgentConfig
from evalkit.config.yaml_files import read_yaml, validate
from evalkit.types import Record

_FOLDER = Path(__file__).with_name("prompts")


class Prompt(Record):
    """What the model reads besides the problem itself."""

    system: str
    instance: str
    """Shown first, a jinja2 template: {{problem}}, {{workdir}} and {{overview}} are filled in."""
    overview: str = ""
    """Command run in the fresh sandbox; what it prints is {{overview}}."""
    no_call: str
    """Answer to a turn without a call."""
    empty_submit: str = ""
    """Answer, once, to a submit of an unchanged tree; empty takes every submit."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """Function schemas, sent to the engine in the native format."""
    actions: tuple[str, ...] = ()
    """In the fenced format, the names of the tools; `system` describes them in words."""
    hints: Mapping[str, str] = {}
    """Name of a tool to what is added to its results."""
    scaffold: ScaffoldWords | None = None
    """Set for a published scaffold: how it words results. Its editor's habits come along."""
    command_timeout_s: float | None = None
    observation_chars: int | None = None
    """Those two are the runner's to say; where it does not, a prompt may."""

    @classmethod
    def load(cls, name: str) -> Self:
        """Read a prompt by name. Raises ConfigError."""
        path = _FOLDER / f"{name}.yaml"
        if not path.is_file():
            known = [file.stem for file in _FOLDER.glob("*.yaml")]
            raise unknown_name("prompt", name, [*known, "sweagent@COMMIT"])
        return validate(cls, read_yaml(path), path.name)

    @property
    def sha256(self) -> str:
        """Hash of everything in it."""
        text = json.dumps(self.model_dump(mode="json", exclude_none=True), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def words(self) -> Words:
        """How results are told under it."""
        return self.scaffold or OwnWords()

    def settle(self, config: AgentConfig) -> AgentConfig:
        """Return the runner's choices, completed by those of the prompt that it leaves open."""
        own = {
            "command_timeout_s": self.command_timeout_s,
            "observation_chars": self.observation_chars,
        }
        left_open = {
            key: value
            for key, value in own.items()
            if value is not None and key not in config.model_fields_set
        }
        return config.model_copy(update=left_open)

    def tool_names(self) -> list[str]:
        """Names of the tools it offers.

        There are bash, submit, str_replace_editor, the editor's commands as tools of their own,
        and rewrite.
        """
        return [*self.actions, *(tool["function"]["name"] for tool in self.tools)]

    def parameters(self, name: str) -> Mapping[str, Any] | None:
        """Return the schema of a tool's arguments, None for a tool described in words alone."""
        for tool in self.tools:
            if tool["function"]["name"] == name:
                found: Mapping[str, Any] = tool["function"]["parameters"]
                return found
        return None

    def opening(self, *, problem: str, workdir: str, overview: str) -> str:
        """Fill in the first user message: braces in the problem stay what they are."""
        ours = {"problem": problem, "workdir": workdir, "overview": overview}
        in_swe_agent = {"problem_statement": problem, "working_dir": workdir}
        return render(self.instance, **ours, **in_swe_agent)

"""Prompts are files: `prompts/NAME.yaml`, versioned with the code, hashed into the run folder."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from evalkit.config.names import unknown_name
from evalkit.config.yaml_files import read_yaml, validate
from evalkit.types import Record

_FOLDER = Path(__file__).with_name("prompts")


class Prompt(Record):
    """What the model reads besides the problem itself."""

    system: str
    instance: str
    """Shown first, with {{problem}}, {{workdir}} and {{overview}} filled in."""
    overview: str
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

    @classmethod
    def load(cls, name: str) -> Self:
        """Read a prompt by name. Raises ConfigError."""
        path = _FOLDER / f"{name}.yaml"
        if not path.is_file():
            raise unknown_name("prompt", name, [file.stem for file in _FOLDER.glob("*.yaml")])
        return validate(cls, read_yaml(path), path.name)

    @property
    def sha256(self) -> str:
        """Hash of everything in it."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def tool_names(self) -> list[str]:
        """Names of the tools it offers.

        There are bash, submit, str_replace_editor, the editor's commands as tools of their own,
        and rewrite.
        """
        return [*self.actions, *(tool["function"]["name"] for tool in self.tools)]

    def opening(self, *, problem: str, workdir: str, overview: str) -> str:
        """Fill in the first user message in one pass: braces in the problem stay what they are."""
        values = {"problem": problem, "workdir": workdir, "overview": overview}
        return re.sub(r"\{\{(problem|workdir|overview)\}\}", lambda m: values[m[1]], self.instance)

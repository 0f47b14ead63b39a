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
    """Shown first, with {{problem}}, {{workdir}} and {{files}} filled in."""
    no_call: str
    """Answer to a turn without a call."""
    empty_submit: str = ""
    """Answer, once, to a submit of an unchanged tree; empty takes every submit."""
    tools: tuple[Mapping[str, Any], ...]
    """Function schemas, as sent to the engine: of bash, submit, str_replace_editor, or of single
    commands of the editor as tools of their own."""

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
        """Names of the tools it offers."""
        return [tool["function"]["name"] for tool in self.tools]

    def opening(self, *, problem: str, workdir: str, files: str) -> str:
        """Fill in the first user message in one pass: braces in the problem stay what they are."""
        values = {"problem": problem, "workdir": workdir, "files": files}
        return re.sub(r"\{\{(problem|workdir|files)\}\}", lambda m: values[m[1]], self.instance)

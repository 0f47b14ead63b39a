"""A run with all its choices made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from evalkit.config.runner import Runner
from evalkit.protocols import Suite
from evalkit.types import Task


@dataclass(frozen=True, kw_only=True)
class Run:
    """What to run, on what, and where it is put down."""

    id: str
    folder: Path
    suite: Suite
    runner: Runner
    agent: str
    model: str
    """Whose score this is: the model's label, or where the patches come from."""
    tasks: tuple[Task, ...]
    attempts: int
    excluded: tuple[str, ...] = ()
    """Tasks of the suite that the user left out by a file."""
    repair_newline: bool = False
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    """What else decides how its attempts come out, for run.json."""
    shuffled: bool = False
    """The user chose the order of the tasks."""
    command: str
    """What goes on with it, as a user types it."""
    resume: bool = False
    allow_changes: bool = False

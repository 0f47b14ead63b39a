"""A trajectory of bash calls, and what it is flagged for."""

from collections.abc import Callable

import pytest
from pydantic import JsonValue

from evalkit.grading.audit.trajectory import audit_trajectory
from evalkit.protocols import Message
from evalkit.types import Flag
from tests.doubles.tasks import make_task


def bash(command: str, turn: int = 1) -> Message:
    return call("bash", turn, command=command)


def call(name: str, turn: int = 1, **arguments: JsonValue) -> Message:
    return {"kind": "tool", "turn": turn, "name": name, "arguments": arguments}


FlagsOf = Callable[..., set[Flag]]


@pytest.fixture
def flags_of() -> FlagsOf:
    """The flags of bash commands, one a turn; the repository is acme/widget-kit at /repo."""

    def flags(*commands: str) -> set[Flag]:
        lines = [bash(command, turn) for turn, command in enumerate(commands, 1)]
        audit = audit_trajectory(make_task(repo="acme/widget-kit"), lines)
        return {finding.flag for finding in audit.findings}

    return flags

"""The agent that the documentation shows works as it stands there."""

import re
from pathlib import Path
from typing import Any

import pytest

from evalkit.agents.plugin import AgentPlugin
from evalkit.protocols import Message
from evalkit.types import Submission
from tests.doubles.agent_context import agent_context
from tests.doubles.local_sandbox import local_sandbox
from tests.doubles.scripted_model import ScriptedModel, says
from tests.doubles.tasks import make_task

PAGE = Path(__file__).parents[3] / "docs" / "agents.md"


def shown_plugin() -> AgentPlugin:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    module: dict[str, Any] = {}
    exec(found[1], module)
    plugin: AgentPlugin = module["PLUGIN"]
    return plugin


@pytest.fixture
def lines() -> list[Message]:
    return []


@pytest.fixture
def submission(tmp_path: Path, lines: list[Message]) -> Submission:
    model = ScriptedModel(iter([says("printf diff > PATCH")]))
    with shown_plugin().open(agent_context(model)) as agent:
        return agent.solve(make_task(), 1, lambda: local_sandbox(tmp_path), lines.append)


def test_it_hands_in_what_its_command_made(submission: Submission) -> None:
    assert submission.patch == "diff"


def test_it_records_a_turn_that_figures_can_rest_on(
    submission: Submission, lines: list[Message]
) -> None:
    assert {"t0", "t1", "usage"} <= lines[0].keys()

"""A conversation with a scripted model in a local folder."""

from pathlib import Path
from threading import Event
from typing import Any

import pytest

from evalkit.agents.prompt import Prompt
from evalkit.agents.tools import ToolAgent
from evalkit.config.runner import AgentConfig, RolloutLimits
from evalkit.protocols import Message
from evalkit.types import Reply
from tests.doubles.local_sandbox import local_sandbox
from tests.doubles.scripted_model import Conversation, Converse, ScriptedModel
from tests.doubles.tasks import make_task


@pytest.fixture
def converse(tmp_path: Path) -> Converse:
    def run(
        *replies: Reply | Exception,
        stopping: bool = False,
        fenced: bool = False,
        prompt: str | Prompt = "default",
        **limits: Any,
    ) -> Conversation:
        event = Event()
        if stopping:
            event.set()
        model, lines = ScriptedModel(iter(replies)), list[Message]()
        agent = ToolAgent(
            model=model,
            prompt=Prompt.load(prompt) if isinstance(prompt, str) else prompt,
            config=AgentConfig(
                tool_format="fenced" if fenced else "native",
                observation_chars=400,
            ),
            limits=RolloutLimits(**limits),
            stopping=event,
        )
        task = make_task(workdir=str(tmp_path))
        submission = agent.solve(task, 1, lambda: local_sandbox(tmp_path), lines.append)
        return Conversation(submission, model, lines)

    return run

"""A model that follows a script, for unit tests of the agent's loop."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from evalkit.errors import ContextLimitError
from evalkit.protocols import Message
from evalkit.types import Reply, Submission, ToolCall, Usage


@dataclass
class ScriptedModel:
    """Answers with the given replies, or raises the given errors, in order; then its context is full."""

    replies: Iterator[Reply | Exception]
    seen: list[list[Message]] = field(default_factory=list)
    allowed: list[int | None] = field(default_factory=list)

    def chat(
        self,
        messages: Sequence[Message],
        tools: Sequence[Message],
        *,
        deadline: float,
        max_tokens: int | None = None,
    ) -> Reply:
        self.seen.append(list(messages))
        self.allowed.append(max_tokens)
        for reply in self.replies:
            if isinstance(reply, Exception):
                raise reply
            return reply
        raise ContextLimitError("the script is at its end")


@dataclass
class Conversation:
    """What came of a scripted rollout."""

    submission: Submission
    model: ScriptedModel
    lines: list[Message]

    def last_observation(self) -> str:
        return str([line for line in self.lines if line["kind"] == "tool"][-1]["observation"])


Converse = Callable[..., Conversation]


def calls(*wanted: tuple[str, str]) -> Reply:
    """A reply with native calls of (name, arguments as JSON)."""
    return Reply(
        text="",
        tool_calls=tuple(
            ToolCall(id=f"call-{number}", name=name, arguments=arguments)
            for number, (name, arguments) in enumerate(wanted)
        ),
        usage=Usage(prompt_tokens=10, completion_tokens=5),
        total_s=0.5,
    )


def says(text: str) -> Reply:
    """A reply of text alone."""
    return Reply(text=text, usage=Usage(completion_tokens=3))


SUBMIT = calls(("submit", "{}"))

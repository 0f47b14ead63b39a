"""Tools that answer at once, so that only the engine takes time; and what was asked of it."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from evalkit.protocols import ChatModel, Job, JobResult, Message
from evalkit.types import CommandResult, Reply, Task

_PRINTED = "README.md\nsetup.py\nsrc/module.py\ntests/test_module.py\n" * 8


class InstantSandbox:
    """Says the same to every command and holds the same in every file."""

    def run(self, command: str, *, timeout_s: float) -> CommandResult:
        return CommandResult(output=_PRINTED, exit_code=0)

    def read_file(self, path: str) -> bytes:
        return _PRINTED.encode()

    def write_file(self, path: str, content: bytes) -> None: ...

    def patch(self) -> str:
        return ""


class InstantContainers:
    """Gives out instant sandboxes; there is nothing to grade."""

    @contextmanager
    def rollout(self, task: Task, attempt: int) -> Iterator[InstantSandbox]:
        yield InstantSandbox()

    def run(self, job: Job) -> JobResult:
        raise AssertionError(f"no job is expected, and {job.image} was to run one")

    def settle(self, image: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of a rollout, and what came of it; times are `time.monotonic()` seconds."""

    messages: tuple[Message, ...]
    tokens: int
    begun: float
    ended: float

    def with_word(self, word: str) -> "Asked":
        """Return the same with another word as the first line of its first message."""
        first, *rest = self.messages
        _, _, text = str(first["content"]).partition("\n")
        anew: Message = {**first, "content": f"{word}\n{text}"}
        return replace(self, messages=(anew, *rest))


@dataclass
class Recording:
    """A ChatModel over another that keeps what each rollout asked, and when tokens came."""

    chat_model: ChatModel
    rollouts: dict[int, list[Asked]] = field(default_factory=dict)
    _conversations: list[Sequence[Message]] = field(default_factory=list)
    """Held, so that no later one gets the id of an earlier one."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def chat(
        self,
        messages: Sequence[Message],
        tools: Sequence[Message],
        *,
        deadline: float,
        max_tokens: int | None = None,
    ) -> Reply:
        begun = time.monotonic()
        reply = self.chat_model.chat(messages, tools, deadline=deadline, max_tokens=max_tokens)
        asked = Asked(
            messages=tuple(messages),
            tokens=reply.usage.completion_tokens,
            begun=begun,
            ended=time.monotonic(),
        )
        with self._lock:  # a rollout's conversation is one list that grows
            if id(messages) not in self.rollouts:
                self._conversations.append(messages)
            self.rollouts.setdefault(id(messages), []).append(asked)
        return reply

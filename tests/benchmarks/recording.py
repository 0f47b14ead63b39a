"""What rollouts asked of their engine, to be asked again."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from evalkit.protocols import ChatModel, Message
from evalkit.types import Reply


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

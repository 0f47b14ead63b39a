"""A chat that outlives its engine: turns that an engine's end broke off are asked for again."""

import time
from collections.abc import Sequence
from typing import Protocol

from evalkit.errors import UnansweredError
from evalkit.protocols import ChatModel, Message
from evalkit.types import CUT_OFF, Reply

_QUIET_S = 10.0
"""An engine that gave no sign for so long before a deadline may be hung, and not merely slow."""


class Restarting(Protocol):
    """An engine that may be over, and back later."""

    def ready(self) -> int:
        """Wait until it answers; return its incarnation. Raises EngineGoneError."""
        ...

    def lost(self, incarnation: int) -> bool:
        """Say whether an incarnation is over; wait until known."""
        ...

    def quiet_s(self) -> float:
        """Return for how many seconds it has given no sign of life."""
        ...


class SteadyChat:
    """A ChatModel over another; the time lost is added to deadlines and told in the reply."""

    def __init__(self, chat: ChatModel, engine: Restarting) -> None:
        self._chat, self._engine = chat, engine

    def chat(
        self,
        messages: Sequence[Message],
        tools: Sequence[Message],
        *,
        deadline: float,
        max_tokens: int | None = None,
    ) -> Reply:
        """Ask for one turn; see `protocols.ChatModel`. Raises EngineGoneError too."""
        lost_s = 0.0
        while True:
            begun = time.monotonic()
            incarnation = self._engine.ready()
            lost_s += time.monotonic() - begun
            begun = time.monotonic()
            try:
                reply = self._chat.chat(
                    messages, tools, deadline=deadline + lost_s, max_tokens=max_tokens
                )
            except UnansweredError:
                if not self._engine.lost(incarnation):
                    raise
            else:
                suspect = reply.finish_reason == CUT_OFF and self._engine.quiet_s() > _QUIET_S
                if not (suspect and self._engine.lost(incarnation)):
                    return reply.model_copy(update={"lost_s": lost_s}) if lost_s else reply
            lost_s += time.monotonic() - begun

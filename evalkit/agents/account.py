"""What one rollout has used so far, when that is enough, and its lines in the trajectory."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from pydantic import JsonValue

from evalkit.config.runner import RolloutLimits
from evalkit.protocols import Message
from evalkit.types import Reply, StopReason, Timings, Usage


@dataclass(kw_only=True)
class Account:
    """One rollout's, from its begin; `stopping` is set where the run is being stopped."""

    record: Callable[[Message], None]
    limits: RolloutLimits
    stopping: Event
    begun: float = field(default_factory=time.monotonic)
    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    llm_s: float = 0.0
    lost_s: float = 0.0
    """Gone to an engine that ended, and to the wait for its restart: not the rollout's time."""
    tool_s: float = 0.0
    ttfts: list[float] = field(default_factory=list)

    @property
    def deadline(self) -> float:
        """A `time.monotonic()` instant; it moves by the time lost to an engine's end."""
        return self.begun + self.limits.seconds + self.lost_s

    @property
    def tokens_left(self) -> int | None:
        """Completion tokens that may still be used, None where they are not limited."""
        limit = self.limits.completion_tokens
        return limit and limit - self.usage.completion_tokens

    def stop(self) -> StopReason | None:
        """Return why the rollout must end now, None where it may go on."""
        if self.stopping.is_set():
            return StopReason.INTERRUPTED
        if self.turns >= self.limits.turns:
            return StopReason.TURN_LIMIT
        if self.tokens_left is not None and self.tokens_left <= 0:
            return StopReason.TOKEN_LIMIT
        return StopReason.TIME_LIMIT if time.monotonic() >= self.deadline else None

    def turn(self, reply: Reply, started: float) -> None:
        """Add an answer of the model that was asked for at `started`, in Unix seconds.

        The line's t0 is when the try began that was answered: `lost_s` after that.
        """
        self.turns += 1
        self.usage += reply.usage
        self.llm_s += reply.total_s
        self.lost_s += reply.lost_s
        t0 = started + reply.lost_s
        if reply.ttft_s is not None:
            self.ttfts.append(reply.ttft_s)
        self.record(
            {
                "kind": "turn",
                "turn": self.turns,
                "t0": t0,
                "t1": t0 + reply.total_s,
                "ttft_s": reply.ttft_s,
                "itl_s": reply.itl_s,
                "incarnation": reply.incarnation,
                "lost_s": reply.lost_s,
                "finish_reason": reply.finish_reason,
                "usage": reply.usage.model_dump(),
                "text": reply.text,
                "tool_calls": [call.model_dump() for call in reply.tool_calls],
            }
        )

    def call(self, name: str, arguments: JsonValue, seconds: float, observation: str) -> None:
        """Add a tool call that was answered."""
        self.tool_s += seconds
        self.record(
            {
                "kind": "tool",
                "turn": self.turns,
                "name": name,
                "arguments": arguments,
                "seconds": seconds,
                "observation": observation,
            }
        )

    def timings(self, setup_s: float) -> Timings:
        """Return where the time went, until now."""
        return Timings(
            setup_s=setup_s,
            llm_s=self.llm_s,
            tool_s=self.tool_s,
            wall_s=time.monotonic() - self.begun,
            ttft_s=sum(self.ttfts) / len(self.ttfts) if self.ttfts else None,
        )

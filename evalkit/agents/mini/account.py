"""What one rollout has used so far, and its lines in the trajectory."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import JsonValue

from evalkit.agents.turn_line import turn_line
from evalkit.protocols import Message
from evalkit.types import Reply, Timings, Usage


@dataclass(kw_only=True)
class Account:
    """Shared by the model and the environment of one rollout."""

    record: Callable[[Message], None]
    begun: float
    """A `time.monotonic()` instant."""
    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    llm_s: float = 0.0
    tool_s: float = 0.0
    ttfts: list[float] = field(default_factory=list)

    def turn(self, reply: Reply, started: float) -> None:
        """Add an answer of the model; `started` is in Unix seconds."""
        self.turns += 1
        self.usage += reply.usage
        self.llm_s += reply.total_s
        if reply.ttft_s is not None:
            self.ttfts.append(reply.ttft_s)
        self.record(turn_line(self.turns, started, reply))

    def call(self, command: JsonValue, seconds: float, observation: str) -> None:
        """Add a command that was run."""
        self.tool_s += seconds
        self.record(
            {
                "kind": "tool",
                "turn": self.turns,
                "name": "bash",
                "arguments": {"command": command},
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

"""What an engine answers, and what it tells of itself."""

from evalkit.types.record import Record


class Usage(Record):
    """Tokens, as the engine counted them. Completion tokens include tool-call arguments."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )


class ToolCall(Record):
    """A call the model made: `arguments` is the JSON text as it came, not yet validated."""

    id: str
    name: str
    arguments: str


CUT_OFF = "cut_off"
"""The finish reason of an answer that its deadline broke off."""


class Reply(Record):
    """One answer of the engine."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""
    """The engine's word, or CUT_OFF: then the rest is what had arrived until the deadline."""
    usage: Usage = Usage()
    ttft_s: float | None = None
    total_s: float = 0.0
    incarnation: int = 1
    """Which start of the engine answered, from 1."""
    lost_s: float = 0.0
    """Spent before on tries that an engine's end broke off, and on the wait for its restart."""

    @property
    def itl_s(self) -> float | None:
        """Mean seconds between two tokens, None where fewer than two came."""
        if self.ttft_s is None or self.usage.completion_tokens < 2:
            return None
        return (self.total_s - self.ttft_s) / (self.usage.completion_tokens - 1)


class Received(Record):
    """The tokens that one incarnation of the engine made for us, by what became of them."""

    turns: Usage = Usage()
    probes: Usage = Usage()
    repeated: Usage = Usage()
    """Of answers that broke off and were asked for again."""

    @property
    def total(self) -> Usage:
        """Everything, whatever became of it."""
        return self.turns + self.probes + self.repeated


class Incarnation(Record):
    """One start of the engine within a run, in run.json under `engine.incarnations`."""

    number: int
    """From 1."""
    started: float
    """Unix seconds at which it answered its probe."""
    ended: float | None = None
    """Unix seconds; None while it runs, or where the run was killed."""
    why: str = ""
    """Why it ended; empty where the run did."""
    max_model_len: int
    """Tokens; less than the runner's where memory did not do for that."""
    counter: Usage = Usage()
    """The engine's own counters at the last look at them."""
    received_then: int = 0
    """Completion tokens that we had received at that look."""
    received: Received = Received()


class Replica(Record):
    """How busy one data-parallel replica of the engine is."""

    running: int = 0
    """Requests being worked on."""
    waiting: int = 0
    kv_usage: float = 0.0
    """Share of its KV cache in use, 0 to 1."""


class EngineSample(Record):
    """One look at the engine, a line of engine.jsonl; counters count from its start."""

    t: float
    """Unix seconds."""
    incarnation: int = 1
    """Which start of the engine this is, from 1."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt tokens, those that the prefix cache held."""
    generation_tokens: int = 0
    steps: int = 0
    preemptions: int = 0
    """Requests put back for want of KV cache."""
    running: int = 0
    """Requests being worked on."""
    waiting: int = 0
    kv_usage: float = 0.0
    """Share of the KV cache in use, 0 to 1; of the fullest where several replicas answer."""
    capacity_tokens: int = 0
    """Tokens that the KV cache of all replicas holds; 0 where the engine does not tell."""
    replicas: tuple[Replica, ...] = ()
    """By rank."""
    in_flight: int = 0
    """Our requests that are not yet answered."""
    received_tokens: int = 0
    """Completion tokens that we have received of this incarnation, as of this look."""

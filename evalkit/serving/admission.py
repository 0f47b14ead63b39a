"""How many rollouts run at once: as many as the engine's KV cache holds, and not one more."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from threading import Condition, Event
from typing import NamedTuple

from evalkit.errors import EngineGoneError
from evalkit.types import EngineSample

GROW_BELOW = 0.8
"""Above this share of the KV cache no further rollout is planned for: those that run still grow."""
BLOCK_ABOVE = 0.9
"""Above it none starts, even in the place of one that ended."""
_GROW_EVERY_S = 30.0
"""A new rollout's context takes a few turns to show in the cache; and as what rollouts hold comes and
goes with their turns, the most of so long a time decides."""


class Decision(NamedTuple):
    """How many rollouts may run from now on, why, and whether none may start although fewer do."""

    limit: int
    why: str
    blocked: bool = False


class Pace:
    """Follows the KV cache. Pure: fed with looks at the engine, it never asks for one."""

    def __init__(self, most: int, expected_context: int | None) -> None:
        """Plan for at most `most` rollouts, each of `expected_context` tokens."""
        self._most, self._expected = most, expected_context
        self._context = 1
        self._grown = self._peak = 0.0
        """When it grew last, and the most of the cache that was in use since."""

    def first(self, sample: EngineSample, max_model_len: int | None) -> Decision:
        """Start with as many as fit; with all where the engine does not tell its capacity.

        Where nobody said how long a rollout will be, it is half of what the engine serves.
        """
        self._grown = sample.t
        self._context = self._expected or max(1, (max_model_len or 0) // 2)
        if not sample.capacity_tokens:
            return Decision(self._most, "the engine does not tell its KV capacity")
        fit = max(1, sample.capacity_tokens // self._context)
        why = f"capacity of {sample.capacity_tokens} tokens / {self._context} expected a rollout"
        return Decision(min(self._most, fit), why)

    def next(self, limit: int, running: int, sample: EngineSample) -> Decision:
        """Decide anew; `running` rollouts are under way."""
        used, one_more = f"KV use {sample.kv_usage:.0%}", self._share(sample)
        self._peak = max(self._peak, sample.kv_usage)
        if sample.kv_usage > BLOCK_ABOVE:
            return Decision(limit, f"{used}: none starts", blocked=True)
        if sample.kv_usage > GROW_BELOW or sample.waiting:
            return Decision(limit, f"{used}, {sample.waiting} waiting: no more than now")
        if running < limit or limit == self._most or sample.t < self._grown + _GROW_EVERY_S:
            return Decision(limit, used)
        peak, self._peak, self._grown = self._peak, sample.kv_usage, sample.t
        if peak > GROW_BELOW or peak + one_more > BLOCK_ABOVE:
            return Decision(limit, f"KV use up to {peak:.0%}: one more may not fit")
        return Decision(limit + 1, f"{used}, nothing waits: one more")

    def _share(self, sample: EngineSample) -> float:
        """Return how much of the cache one more rollout may take."""
        return self._context / sample.capacity_tokens if sample.capacity_tokens else 0.0


class Gate:
    """An Admission whose limit can be moved while rollouts wait; none that runs is sent away."""

    def __init__(self, most: int, stopping: Event, note: Callable[..., None]) -> None:
        """Let `most` in until told otherwise; `note` hears of the first and each new decision."""
        self.stopping = stopping
        """Set while the run is being stopped: nobody waits any longer."""
        self._limit, self._note = most, note
        self._running = 0
        self._told = False
        self._full = False
        """The engine's cache is: none starts, whatever the limit."""
        self._paused: dict[str, str] = {}
        """What is away, an engine, a daemon, room on a disk, and why."""
        self._gone = ""
        self._changed = Condition()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a place and hold it; see `protocols.Admission`."""
        with self._changed:
            while not self._may_start():
                self._changed.wait(0.5)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _may_start(self) -> bool:
        if self._gone:
            raise EngineGoneError(self._gone)
        if self.stopping.is_set():
            raise CancelledError
        return not self._full and not self._paused and self._running < self._limit

    def follow(self, decide: Callable[[int, int], Decision], sample: EngineSample) -> None:
        """Do as `decide`, given the limit and how many run, says."""
        with self._changed:
            decision = decide(self._limit, self._running)
            before = (self._limit, self._full)
            news = (decision.limit, decision.blocked) != before or not self._told
            self._told = True
            self._limit, self._full = decision.limit, decision.blocked
            self._changed.notify_all()
            running = self._running
        if news:
            self._note(
                "admission",
                limit=decision.limit,
                blocked=decision.blocked,
                why=decision.why,
                rollouts=running,
                running=sample.running,
                waiting=sample.waiting,
                kv_usage=round(sample.kv_usage, 3),
                preemptions=sample.preemptions,
            )

    @property
    def paused(self) -> Mapping[str, str]:
        """What is away just now, and why."""
        return dict(self._paused)

    def pause(self, what: str, why: str) -> None:
        """Let none start until `resume` is called with the same word."""
        with self._changed:
            self._paused[what] = why
        self._note("paused", what=what, why=why)

    def resume(self, what: str) -> None:
        """Take `pause` back."""
        self._note("resumed", what=what)  # before whoever waited notes that it begins
        with self._changed:
            self._paused.pop(what, None)
            self._changed.notify_all()

    def close(self, why: str) -> None:
        """Turn away who waits and who comes, with an EngineGoneError."""
        with self._changed:
            self._gone = why
            self._changed.notify_all()

"""What is kept of every incarnation of the engine: its counters against what we received."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from pydantic import JsonValue

from evalkit.serving.endpoint import Endpoint
from evalkit.serving.meter import Meter
from evalkit.types import EngineSample, Incarnation, Received, Usage


class Notes(Protocol):
    """Where a run folder keeps what is told of the engine."""

    def event(self, kind: str, **facts: JsonValue) -> None:
        """Take note of something that happened."""
        ...

    def engine_sample(self, sample: EngineSample) -> None:
        """Keep one look at the engine."""
        ...

    def incarnations(self, all_so_far: Sequence[Incarnation]) -> None:
        """Keep what is known of every incarnation, in place of what was."""
        ...


class Books:
    """Written by the thread that watches the engine."""

    def __init__(self, notes: Notes, meter: Meter, earlier: Sequence[Incarnation] = ()) -> None:
        self._notes, self._meter = notes, meter
        self._all = list(earlier)
        self._unread = ""
        self.last: EngineSample | None = None
        """The last look at the incarnation that runs."""

    def begin(self, number: int, endpoint: Endpoint) -> None:
        """Open the page of an incarnation that answered its probe."""
        self._others = not endpoint.argv
        self._before = Usage()
        self.last = None
        self._unread = ""
        self._all.append(
            Incarnation(
                number=number, started=time.time(), max_model_len=endpoint.max_model_len or 0
            )
        )
        self.write()

    def look(self, read: Callable[[], EngineSample]) -> EngineSample:
        """Look at the engine and keep it, with what we had received by then.

        That is asked first: what comes while the engine answers may not be in its counter yet.
        """
        received = self._meter.received(self._all[-1].number)
        sample = read().model_copy(
            update={
                "incarnation": self._all[-1].number,
                "in_flight": self._meter.in_flight,
                "received_tokens": received,
            }
        )
        if self.last is None and self._others:  # it has worked for others before
            ours = self._meter.books.get(sample.incarnation, Received()).total
            self._before = _less(_counter(sample), ours)
        self.last = sample
        self._notes.engine_sample(sample)
        return sample

    def missed(self, why: str) -> None:
        """Take note that the engine could not be read, once for each reason."""
        if why != self._unread:
            self._notes.event("no_metrics", why=why)
        self._unread = why

    def end(self, why: str) -> float:
        """Close the page; return for how many seconds the incarnation lived."""
        record = self._all[-1]
        counter = _counter(self.last) if self.last else Usage()
        ended = record.model_copy(
            update={
                "ended": time.time(),
                "why": why,
                "counter": _less(counter, self._before),
                "received_then": self.last.received_tokens if self.last else 0,
            }
        )
        self._all[-1] = ended
        self.write()
        if why:
            self._notes.event("engine_ended", incarnation=record.number, why=why)
        return time.time() - record.started

    def write(self) -> None:
        """Write every page: what an earlier incarnation left unanswered is booked after its end."""
        received = self._meter.books
        self._all = [
            one.model_copy(update={"received": received.get(one.number, one.received)})
            for one in self._all
        ]
        self._notes.incarnations(self._all)


def _counter(sample: EngineSample) -> Usage:
    return Usage(
        prompt_tokens=sample.prompt_tokens,
        cached_tokens=sample.cached_tokens,
        completion_tokens=sample.generation_tokens,
    )


def _less(usage: Usage, before: Usage) -> Usage:
    return Usage(
        prompt_tokens=usage.prompt_tokens - before.prompt_tokens,
        cached_tokens=usage.cached_tokens - before.cached_tokens,
        completion_tokens=usage.completion_tokens - before.completion_tokens,
    )

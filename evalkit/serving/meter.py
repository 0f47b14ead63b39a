"""Tokens as they arrive, kept apart by the incarnation of the engine that made them.

They are what the engine's own counters are held against.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from evalkit.types import Received, Usage


@dataclass
class Count:
    """One request's tokens so far. Written by one thread alone; others may read it."""

    incarnation: int
    usage: Usage
    answered: bool = False
    """Whether a whole answer came of it; else its turn is asked for again."""


class Meter:
    """One a run; any number of threads."""

    def __init__(self) -> None:
        self.incarnation = 1
        """Which the requests that begin now are put down to."""
        self._lock = Lock()
        self._counts: dict[int, Count] = {}
        self._books: dict[int, Received] = {}

    @contextmanager
    def request(self, *, probe: bool = False) -> Iterator[Count]:
        """Count one request; set its `usage` as it grows, and `answered` at its whole end."""
        count = Count(self.incarnation, Usage())
        with self._lock:
            self._counts[id(count)] = count
        try:
            yield count
        finally:
            with self._lock:
                del self._counts[id(count)]
                self._enter(count, probe=probe)

    def _enter(self, count: Count, *, probe: bool) -> None:
        book = self._books.get(count.incarnation, Received())
        kind = "probes" if probe else "turns" if count.answered else "repeated"
        grown = getattr(book, kind) + count.usage
        self._books[count.incarnation] = book.model_copy(update={kind: grown})

    @property
    def in_flight(self) -> int:
        """Requests that are not yet at their end."""
        return len(self._counts)

    def received(self, incarnation: int) -> int:
        """Completion tokens that have arrived of an incarnation, of open requests too."""
        with self._lock:
            here = self._books.get(incarnation, Received()).total.completion_tokens
            return here + sum(
                count.usage.completion_tokens
                for count in self._counts.values()
                if count.incarnation == incarnation
            )

    @property
    def books(self) -> Mapping[int, Received]:
        """What each incarnation made, of requests at their end."""
        with self._lock:
            return dict(self._books)

"""What a run rests on and can lose for a while: a daemon, room on a disk."""

import time
from collections.abc import Callable, Mapping
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from evalkit.errors import StoreError
from evalkit.protocols import Admission

Check = Callable[[], str | None]
"""Says why a boundary is not there just now; None where it is."""

_EVERY_S = 5.0
_FRESH = 0.1
"""Share of that time for which one look serves all who ask."""


class Boundaries:
    """Lets no rollout start while one of them is away; for a `with` block.

    `checks` has the word that a pause is told by for each. Any number of threads may ask.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        admission: Admission,
        stopping: Event,
        *,
        every_s: float = _EVERY_S,
    ) -> None:
        self._checks, self._admission, self._stopping = checks, admission, stopping
        self._every_s = every_s
        self._away: dict[str, str] = {}
        self.absences = 0
        """How often one went away."""
        self._looked = float("-inf")
        """When the last look began."""
        self._looking = Lock()
        self._leaving = Event()
        self._thread = Thread(target=self._watch, name="boundaries", daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leaving.set()
        self._thread.join()

    def await_all(self) -> bool:
        """Wait until all are there, or the run is being stopped; whether one was away."""
        # Anew, for something broke: an absence of which nobody knows yet is no fault of a try.
        away = was_away = self._look(since=time.monotonic())
        while away and not self._stopping.wait(min(1.0, self._every_s)):
            away = self._look()
        return was_away

    def _watch(self) -> None:
        while not self._leaving.wait(self._every_s):
            try:
                self._look()
            except StoreError:  # a run that cannot be written hears it from its own writes
                return

    def _look(self, since: float = float("-inf")) -> bool:
        """Look at all of them, unless somebody just did, and since then; whether one is away."""
        with self._looking:
            now = time.monotonic()
            if self._looked < max(since, now - _FRESH * self._every_s):
                self._looked = now
                for what, check in self._checks.items():
                    self._see(what, check())
            return bool(self._away)

    def _see(self, what: str, why: str | None) -> None:
        was = self._away.get(what)
        if why is None and was is not None:
            del self._away[what]
            self._admission.resume(what)
        elif why is not None and was is None:
            self._away[what] = why
            self.absences += 1
            self._admission.pause(what, why)

"""An engine kept alive: watched, and started again where it dies or hangs."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Self

from evalkit.errors import EngineError, EngineGoneError, EvalkitError
from evalkit.serving.admission import Gate, Pace
from evalkit.serving.books import Books, Notes
from evalkit.serving.endpoint import Endpoint
from evalkit.serving.liveness import Liveness
from evalkit.serving.meter import Meter
from evalkit.serving.metrics import scrape
from evalkit.types import EngineSample, Incarnation, Replica

_EVERY_S = 2.0
_LASTED_S = 600.0
"""An incarnation that lived for so long does not count among the failures in a row."""
_LONGEST_PAUSE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One incarnation that answers."""

    endpoint: Endpoint
    ended: Callable[[], str | None]
    """How its processes ended; None while they run, and of an endpoint that is not ours."""
    probe: Callable[[], None]
    """Has a token made. Raises EngineError."""


OpenEngine = Callable[[int], AbstractContextManager[Opened]]
"""Starts the incarnation of a number, from 1 in each session; the block's end ends all of it."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What the supervisor works with, and how patient it is."""

    notes: Notes
    gate: Gate
    pace: Pace
    meter: Meter
    say: Callable[[str], None]
    stall_s: float
    restarts: int
    every_s: float = _EVERY_S
    pause_s: float = 1.0
    """Before the first start anew; twice as long before each further one in a row."""
    leaving: Event = field(default_factory=Event)
    """Set at the end of the run: a start that is under way is given up."""


class Supervisor:
    """One engine through all its incarnations; for a `with` block."""

    def __init__(
        self, open_engine: OpenEngine, watch: Watch, earlier: Sequence[Incarnation] = ()
    ) -> None:
        """Watch what `open_engine` starts; of a run that is gone on with, number on from `earlier`."""
        self._open, self._watch = open_engine, watch
        self._books = Books(watch.notes, watch.meter, earlier)
        self._changed = Condition()
        self._up = False
        self._gone = ""
        self._suspicions = 0
        self._number = self._before = len(earlier)
        self._failures = 0
        self._stack = ExitStack()
        self._thread = Thread(target=self._run, name="engine-watch", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self._stack.close()  # it may have started, and what came after failed
            raise
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watch.leaving.set()
        self._thread.join()
        try:
            if self._up:
                self._sample()
                self._books.end("")
            else:
                self._books.write()
        finally:
            self._stack.close()

    @property
    def endpoint(self) -> Endpoint:
        """Where it answers, and what is known of it; the address stays through restarts."""
        return self._opened.endpoint

    def replicas(self) -> tuple[Replica, ...]:
        """Return how busy each data-parallel replica was at the last look."""
        sample = self._books.last
        return sample.replicas if sample else ()

    def ready(self) -> int:
        """Wait until the engine answers; return its incarnation.

        Raises EngineGoneError where it will not answer again, EngineError while the run is
        being stopped.
        """
        with self._changed:
            while not self._up or self._gone:
                if self._gone:
                    raise EngineGoneError(self._gone)
                if self._watch.gate.stopping.is_set():
                    raise EngineError("the run is being stopped")
                self._changed.wait(0.5)
            return self._number

    def lost(self, incarnation: int) -> bool:
        """Say whether an incarnation that left a request unanswered is over; wait until known.

        False as soon as it has given a sign of life since the call.
        """
        asked = time.monotonic()
        with self._changed:
            self._suspicions += 1
            try:
                while self._up and self._number == incarnation and not self._gone:
                    if self._life.last_sign > asked or self._watch.gate.stopping.is_set():
                        return False
                    self._changed.wait(0.5)
                return True
            finally:
                self._suspicions -= 1

    def quiet_s(self) -> float:
        """Return for how many seconds the engine has given no sign of life."""
        return self._life.quiet_s(time.monotonic())

    def _run(self) -> None:
        try:
            while not self._watch.leaving.wait(self._watch.every_s):
                why = self._look()
                if why is not None:
                    self._renew(why)
                if self._gone:
                    return
        except EvalkitError as error:  # such as a run folder that cannot be written
            self._give_up(error.message)
        except BaseException as error:
            self._give_up(f"nobody watches it any more: {error!r}")
            raise

    def _begin(self) -> None:
        self._watch.meter.incarnation = self._number + 1
        with ExitStack() as stack:
            opened = stack.enter_context(self._open(self._number + 1 - self._before))
            self._opened = opened
            self._stack = stack.pop_all()
        self._life = Liveness(self._watch.stall_s, time.monotonic())
        with self._changed:
            self._number += 1
        self._books.begin(self._number, opened.endpoint)
        sample = self._sample()
        if sample is not None:
            first = self._watch.pace.first(sample, opened.endpoint.max_model_len)
            self._watch.gate.follow(lambda _limit, _running: first, sample)
        with self._changed:
            self._up = True
            self._changed.notify_all()

    def _look(self) -> str | None:
        """Look once; return why the engine has to be started again, None where it works."""
        ended = self._opened.ended()
        if ended is not None:
            return f"it ended by itself ({ended})"
        sample = self._sample()
        if sample is not None:
            pace = self._watch.pace
            self._watch.gate.follow(
                lambda limit, running: pace.next(limit, running, sample), sample
            )
        received = self._watch.meter.received(self._number)
        in_flight, now = self._watch.meter.in_flight, time.monotonic()
        self._life.look(now, sample, received, in_flight)
        ours = bool(self._opened.endpoint.argv)
        if ours and self._life.hung(now):
            return f"it made no step for {self._life.quiet_s(now):.0f} s, with work at hand"
        suspected = self._suspicions and (not in_flight or not ours)
        if suspected or (not in_flight and self._life.probe_due(now)):
            try:
                self._opened.probe()
            except EngineError as error:
                return f"it does not answer a probe: {error.message}"
            self._life.sign(time.monotonic())
        with self._changed:
            self._changed.notify_all()
        return None

    def _sample(self) -> EngineSample | None:
        try:
            return self._books.look(lambda: scrape(self._opened.endpoint.url))
        except EngineError as error:
            self._books.missed(error.message)
            return None

    def _renew(self, why: str) -> None:
        watch = self._watch
        with self._changed:
            self._up = False
            self._changed.notify_all()
        watch.gate.pause("engine", why)
        doing = "started again" if self.endpoint.argv else "waited for"
        watch.say(f"engine: {why}; it is {doing}, turns that broke off are repeated")
        if self._books.end(why) > _LASTED_S:
            self._failures = 0
        self._stack.close()
        while self._failures < watch.restarts:
            pause = min(_LONGEST_PAUSE_S, watch.pause_s * 2**self._failures)
            self._failures += 1
            if self._watch.leaving.wait(pause):
                return
            try:
                self._begin()
            except EvalkitError as error:
                why = error.message
                watch.notes.event("engine_start_failed", why=why)
                continue
            watch.gate.resume("engine")
            watch.say(f"engine: answers again, start {self._number}")
            return
        self._give_up(f"{self._failures} starts in a row did not help; at last: {why}")

    def _give_up(self, why: str) -> None:
        text = f"the engine is gone, and the run cannot go on: {why}"
        with self._changed:
            self._gone = text
            self._changed.notify_all()
        self._watch.gate.close(text)

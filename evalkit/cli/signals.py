"""The first signal lets a run come to an orderly stop, the second ends it at once."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

from evalkit.cli.wiring import say
from evalkit.errors import EvalkitError


class Stopper:
    """Takes SIGINT, SIGTERM and SIGHUP: as KeyboardInterrupt, but for the first while a run drains.

    A background job of a shell inherits an ignored SIGINT; a CI job stops us with SIGTERM, a
    terminal that is closed with SIGHUP.
    """

    def __init__(self) -> None:
        self.stopping = Event()
        """Set once nothing new shall begin."""
        self.signal: signal.Signals | None = None
        """The last one that came."""
        self._forced = False
        self._drains = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take signals for as long as the block lasts."""
        taken = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
            taken.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._take) for number in taken}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def draining(self) -> Iterator[None]:
        """For as long as the block lasts, the first signal only sets `stopping`."""
        self._drains = True
        try:
            yield
        finally:
            self._drains = False

    @property
    def forced(self) -> bool:
        """Whether a second signal came: threads may still be at work."""
        return self._forced

    def _take(self, number: int, _frame: FrameType | None) -> None:
        again, self.signal = self.signal is not None, signal.Signals(number)
        self._forced |= again
        self.stopping.set()
        if again or not self._drains:
            raise KeyboardInterrupt
        say("stopping: rollouts end at their next turn; the same again stops at once")


def stoppable(work: Callable[[Stopper], int], on_stop: Callable[[], str]) -> int:
    """Return the exit code of `work`, or where a signal stopped it 128 + its number.

    `on_stop` says what is left, and how to go on.
    """
    stopper = Stopper()
    with stopper.listening():
        try:
            return work(stopper)
        except (KeyboardInterrupt, EvalkitError) as error:
            if stopper.signal is None and isinstance(error, EvalkitError):
                raise
            if isinstance(error, EvalkitError):  # such as a disk too full for the last words
                say(error.message)
            code = 128 + (stopper.signal or signal.SIGINT)
            say(on_stop())
        if stopper.forced:
            os._exit(code)  # what threads still do is of no account, and none may hold us up
    return code

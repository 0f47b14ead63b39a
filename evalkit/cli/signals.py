"""SIGTERM takes the same way out as Ctrl-C: everything a `with` block holds is released."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from evalkit.cli.wiring import say


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived."""


def stoppable(work: Callable[[], int], folder: Path) -> int:
    """Return the exit code of `work`, or that of the signal that stopped it."""
    try:
        with orderly_signals():
            return work()
    except KeyboardInterrupt as stopped:
        say(f"stopped; what was finished is in {folder}")
        return 143 if isinstance(stopped, Terminated) else 130


@contextmanager
def orderly_signals() -> Iterator[None]:
    """Turn SIGTERM into an exception, and make sure that SIGINT is one.

    A background job of a shell inherits an ignored SIGINT; a CI job stops us with SIGTERM.
    """

    def terminate(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate), signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])

"""SIGTERM takes the same way out as Ctrl-C: everything a `with` block holds is released."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived."""


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

"""Asking again: which faults may pass, and how long to wait for that."""

import math
import random
import time
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from threading import Event

from evalkit.errors import EngineError, UnansweredError
from evalkit.types import Reply

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Before each further try; spread by up to a half, for rollouts that were refused together."""


class MayPassError(Exception):
    """A fault that may be gone at the next try."""

    def __init__(self, message: str, after_s: float = 0.0) -> None:
        """Take what is told where no try helps; the engine asks to wait `after_s` seconds."""
        super().__init__(message)
        self.after_s = after_s


def ask_again(
    ask: Callable[[], Reply],
    *,
    deadline: float,
    stopping: Event,
    pauses_s: Sequence[float] = PAUSES_S,
) -> Reply:
    """Return what `ask` does, called again after each MayPassError.

    Raises UnansweredError after the last try, or at once where the next would begin past
    `deadline`; EngineError without any wait once `stopping` is set.
    """
    for pause in (*pauses_s, math.inf):
        if stopping.is_set():
            break
        try:
            return ask()
        except MayPassError as fault:
            spread = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
            wait_s = max(pause * spread, fault.after_s)
            if time.monotonic() + wait_s > deadline and not stopping.is_set():
                raise UnansweredError(str(fault)) from fault
            stopping.wait(wait_s)
    raise EngineError("the run is being stopped")


def retry_after_s(header: str | None) -> float:
    """Read `Retry-After`, seconds or a date (RFC 9110, 10.2.3); 0 for what is neither."""
    if not header:
        return 0.0
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except (ValueError, OverflowError):
            return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0

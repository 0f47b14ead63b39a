"""How often, and after which pauses, something broken is begun again. Never for a test's outcome."""

from collections.abc import Callable
from threading import Event

from evalkit.campaign.boundaries import Boundaries
from evalkit.types import Fault

PAUSES_S = (2.0, 10.0, 30.0)
"""Before each new try of what broke while everything that the run rests on was there."""
_LOSSES = 20
"""More often than so nobody waits for a boundary's return for the sake of one attempt."""


class BoundedTries:
    """The tries of one attempt's rollout or grading: `protocols.Tries`.

    What a boundary's absence broke is not held against it: it waits for the return instead.
    """

    def __init__(
        self,
        boundaries: Boundaries,
        stopping: Event,
        note: Callable[[str], None],
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self._boundaries, self._stopping, self._note = boundaries, stopping, note
        self._pauses = iter(pauses_s)
        self._losses = 0

    def again(self, fault: Fault, why: str) -> bool:
        """Wait until another try makes sense; False where there shall be none.

        An image that cannot be had was tried for as long as makes sense when it was pulled.
        """
        if self._boundaries.await_all() and self._losses < _LOSSES:
            self._losses += 1
            pause = 0.0
        elif fault is Fault.IMAGE:
            return False
        else:
            pause = next(self._pauses, -1.0)
        if pause < 0 or self._stopping.wait(pause):
            return False
        self._note(why)
        return True

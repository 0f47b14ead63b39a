"""The engine's counters held against what we received, one start of the engine at a time."""

from evalkit.reporting.run import Run
from evalkit.types import Incarnation, Received, Record

TOLERANCE = 0.01
"""Of the engine's counter. Beyond it one of the two counts wrongly, or somebody else asks too."""


class Pair(Record):
    """One amount of tokens, counted at both ends."""

    engine: int
    """By the engine's counter."""
    received: int
    """By us."""

    @property
    def difference(self) -> float:
        """What we have more than the engine (less where negative), as a share of its count."""
        if self.engine == self.received:
            return 0.0
        return (self.received - self.engine) / self.engine if self.engine else float("inf")

    @property
    def agrees(self) -> bool:
        """Whether the two are within 1 % of each other."""
        return abs(self.difference) <= TOLERANCE


class Agreement(Record):
    """Of one incarnation of the engine."""

    incarnation: int
    completion: Pair | None
    """At the last look at the engine, of open requests too; None where it tells no counters."""
    prompt: Pair | None
    """The engine's count at that look against that of every request at its end: where the engine
    died, what was asked of it after the look is in the second alone."""
    received: Received
    """Where the tokens went: turns, probes, repeated tries."""


def agreements(run: Run) -> tuple[Agreement, ...]:
    """Hold the two against each other for every start of the engine."""
    looked_at = {sample.incarnation for sample in run.samples}
    return tuple(_agreement(one, told=one.number in looked_at) for one in run.incarnations)


def _agreement(one: Incarnation, *, told: bool) -> Agreement:
    counter, total = one.counter, one.received.total
    completion = Pair(engine=counter.completion_tokens, received=one.received_then)
    prompt = Pair(engine=counter.prompt_tokens, received=total.prompt_tokens)
    told = told or counter.completion_tokens > 0
    return Agreement(
        incarnation=one.number,
        completion=completion if told else None,
        prompt=prompt if told and total.prompt_tokens else None,
        received=one.received,
    )

"""Whether a candidate may pass: what a comparison comes to under the limits that were asked for."""

from collections.abc import Sequence
from enum import StrEnum

from evalkit.errors import ConfigError
from evalkit.reporting.compare import Comparison, Scored
from evalkit.stats import Deciding, TaskPair, deciding, drop_p
from evalkit.types import Record


class Answer(StrEnum):
    """What the gate says."""

    PASSED = "passed"
    FAILED = "failed"
    """Something got worse: the score, or the speed."""
    SPOILED = "spoiled"
    """What was lost to infrastructure could turn the answer, or is more than allowed."""
    INCONCLUSIVE = "inconclusive"
    """The drop is larger than allowed, and may be chance."""


EXIT_CODES = {
    Answer.PASSED: 0,
    Answer.FAILED: 1,
    Answer.SPOILED: 3,
    Answer.INCONCLUSIVE: 4,
}


class Limits(Record):
    """What a candidate is held to."""

    max_drop: float = 2.0
    """Percentage points."""
    alpha: float = 0.05
    """How often at most chance alone may look like a drop."""
    min_speed: float | None = None
    """The candidate's busy_tok_s over the base's."""
    max_infra: float | None = None
    """Percent of either side's attempts that may be lost."""


class Decision(Record):
    """The answer and why."""

    answer: Answer
    reasons: tuple[str, ...]
    deciding: Deciding | None = None
    """What would decide; None where something else than that stands in the way."""

    @property
    def exit_code(self) -> int:
        """Of `evalkit compare`."""
        return EXIT_CODES[self.answer]


def decide(comparison: Comparison, limits: Limits) -> Decision:
    """Hold a comparison against the limits.

    The test is one-sided: a gate asks about drops alone, and so `alpha` is the share of nights
    without any change on which it would be red, at most. Lost attempts are counted in favour of
    the one side, then of the other: where the answers differ, they spoil it. Raises ConfigError
    where a speed is asked for and the base has none.
    """
    too_many = _too_many_lost(comparison, limits)
    if too_many:
        return Decision(answer=Answer.SPOILED, reasons=too_many)
    slow = _too_slow(comparison, limits)
    ways = dict.fromkeys(comparison.pairs)  # one, where nothing was lost
    answers = {Answer.FAILED if slow else _of_score(pairs, limits) for pairs in ways}
    if len(answers) > 1:
        turns = ", ".join(sorted(answers))
        lost = comparison.base.lost + comparison.candidate.lost
        why = f"{lost} lost attempts could turn the answer: {turns}, by how they are counted"
        return Decision(answer=Answer.SPOILED, reasons=(why,))
    [answer] = answers
    if comparison.candidate.busy_tok_s is None and limits.min_speed is not None:
        why = f"{comparison.candidate.name} made no request: its speed is unknown"
        return Decision(answer=Answer.SPOILED, reasons=(why,))
    more = _what_would_decide(comparison, limits) if answer is Answer.INCONCLUSIVE else None
    return Decision(answer=answer, reasons=(*slow, _why(comparison, limits)), deciding=more)


def _of_score(pairs: Sequence[TaskPair], limits: Limits) -> Answer:
    # Rounded, so that a drop of just what is allowed is allowed.
    drop = round(-100 * sum(pair.difference for pair in pairs) / len(pairs), 9)
    if drop <= limits.max_drop:
        return Answer.PASSED
    return Answer.FAILED if drop_p(pairs) < limits.alpha else Answer.INCONCLUSIVE


def _too_many_lost(comparison: Comparison, limits: Limits) -> tuple[str, ...]:
    if limits.max_infra is None:
        return ()
    return tuple(
        f"{side.name} lost {_lost(side):.1f} % of its attempts, more than {limits.max_infra:g} %"
        for side in (comparison.base, comparison.candidate)
        if _lost(side) > limits.max_infra
    )


def _lost(side: Scored) -> float:
    return 100 * side.lost / side.attempts


def _too_slow(comparison: Comparison, limits: Limits) -> tuple[str, ...]:
    if limits.min_speed is None:
        return ()
    before, now = comparison.base.busy_tok_s, comparison.candidate.busy_tok_s
    if before is None:
        raise ConfigError(
            f"{comparison.base.name} made no request: it has no speed for --min-speed"
        )
    if now is None or now / before >= limits.min_speed:
        return ()
    return (
        f"{now:.1f} output tokens a second are {now / before:.2f} of the base's {before:.1f}, "
        f"less than {limits.min_speed:g}",
    )


def _why(comparison: Comparison, limits: Limits) -> str:
    drop = round(-comparison.difference.estimate, 9)
    if drop <= limits.max_drop:
        return f"the score {_moved(drop)}; a drop of {limits.max_drop:g} points is allowed"
    test = "exact McNemar" if comparison.once else "bootstrap"
    p = comparison.p_drop
    sign = "<" if p < limits.alpha else ">="
    return (
        f"the score {_moved(drop)}, more than {limits.max_drop:g}; "
        f"one-sided p = {p:.2g} {sign} {limits.alpha:g} ({test})"
    )


def _moved(drop: float) -> str:
    if not drop:
        return "is the same"
    return f"{'dropped' if drop > 0 else 'rose'} by {abs(drop):.1f} points"


def _what_would_decide(comparison: Comparison, limits: Limits) -> Deciding:
    drop = -comparison.difference.estimate
    return deciding(comparison.pairs.counted, drop, alpha=limits.alpha)

"""Two sides compared on the tasks they have in common."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from evalkit.errors import ConfigError
from evalkit.reporting.side import Side, Tried, pool
from evalkit.stats import (
    Difference,
    Interval,
    McNemar,
    TaskPair,
    TaskTries,
    clustered,
    mcnemar,
    minimum_detectable_drop,
    pair_up,
    paired_bootstrap,
    tried_once,
    wilson,
    without_each_repo,
)
from evalkit.types import Record

_UNCHANGED = "revisions differ, unchanged tasks only"
_UNKNOWN = "published before the clean-up of February 2026, any task may have changed"


class Scored(Record):
    """One side, over the tasks compared."""

    name: str
    model: str
    attempts: int
    """Planned, over all tasks."""
    resolved: int
    lost: int
    """Infra errors and attempts without a result, of those planned. They count as not resolved."""
    rate: Interval
    """Of the attempts, Wilson's."""
    clustered: Interval | None
    """Of the tasks' means, by repository; None for one repository."""
    busy_tok_s: float | None


class Flip(StrEnum):
    """How a task's majority outcome differs, seen from the candidate."""

    WON = "won"
    LOST = "lost"
    NONE = "none"


def flip(pair: TaskPair) -> Flip:
    """Say whether the candidate alone resolves a task, or the base alone."""
    if pair.base.majority is pair.candidate.majority:
        return Flip.NONE
    return Flip.WON if pair.candidate.majority else Flip.LOST


class Pairs(NamedTuple):
    """The same tasks, with what was lost counted in three ways."""

    counted: tuple[TaskPair, ...]
    """Lost attempts count as not resolved, as in every score."""
    worst: tuple[TaskPair, ...]
    """For the candidate: what it lost was not resolved, what the base lost was."""
    best: tuple[TaskPair, ...]
    """The other way round."""


class Comparison(Record):
    """What is known of candidate and base."""

    base: Scored
    candidate: Scored
    pairs: Pairs
    only_base: int
    """Tasks that the candidate did not select."""
    only_candidate: int
    changed: int
    """Tasks of both that differ between the revisions: left out."""
    mcnemar: McNemar
    difference: Difference
    """By the bootstrap."""
    once: bool
    """Whether each task was tried once in each: then McNemar decides, else the bootstrap."""
    without_repo: Mapping[str, float]
    """The difference in points with one repository left out, by repository."""
    detectable: float | None
    """The smallest drop, in points, that such a comparison sees with power 0.8."""
    mark: str
    """What stands on every line: empty for runs over one revision."""
    caveats: tuple[str, ...]

    @property
    def p_drop(self) -> float:
        """One-sided p of a drop, by the test that decides."""
        return self.mcnemar.p_drop if self.once else self.difference.p_drop


def compare(
    base: Side, candidates: Sequence[Side], *, alpha: float, allow_mismatch: bool = False
) -> Comparison:
    """Compare the candidates, pooled, with the base on their common tasks.

    Raises ConfigError where no task is common, or where suites or revisions differ: with
    `allow_mismatch` only tasks known to be unchanged are compared, and of published verdicts all.
    """
    sides = [base, *candidates]
    names = [side.name for side in candidates]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"named twice, and would count twice: {', '.join(twice)}")
    mark = _mark(sides, allow_mismatch=allow_mismatch)
    candidate = pool(candidates)
    common = [task_id for task_id in base.tasks if task_id in candidate.tasks]
    if not common:
        raise ConfigError(
            f"{base.name} and {candidate.name} have no task in common: nothing to compare"
        )
    compared = _unchanged(sides, common) if mark else common
    if not compared:
        raise ConfigError(
            f"{base.name} and {candidate.name} have no task that is known to be unchanged",
            hint="that takes task_revisions in both run.json: runs of an older evalkit have none",
        )
    pairs = _pairs(base, candidate, compared)
    return Comparison(
        base=_scored(base, compared, [pair.base for pair in pairs.counted]),
        candidate=_scored(candidate, compared, [pair.candidate for pair in pairs.counted]),
        pairs=pairs,
        only_base=len(base.tasks) - len(common),
        only_candidate=len(candidate.tasks) - len(common),
        changed=len(common) - len(compared),
        mcnemar=mcnemar(pairs.counted),
        difference=paired_bootstrap(pairs.counted),
        once=tried_once(pairs.counted),
        without_repo=_without_repo(pairs.counted),
        detectable=minimum_detectable_drop(pairs.counted, alpha=alpha),
        mark=mark,
        caveats=_caveats(sides),
    )


def _mark(sides: Sequence[Side], *, allow_mismatch: bool) -> str:
    kinds = {(side.suite, side.revision): side for side in sides}
    if len(kinds) == 1:
        return ""
    if not allow_mismatch:
        told = "; ".join(
            f"{side.name}: {suite}, revision {revision[:24]}"
            for (suite, revision), side in kinds.items()
        )
        raise ConfigError(
            f"these are not of one suite and revision: {told}",
            hint="--allow-revision-mismatch compares the tasks that are unchanged",
        )
    published = any(side.task_revisions is None for side in sides)
    ours = {kind for kind, side in kinds.items() if side.task_revisions is not None}
    return "; ".join([_UNKNOWN] * published + [_UNCHANGED] * (len(ours) > 1))


def _unchanged(sides: Sequence[Side], common: Sequence[str]) -> list[str]:
    """Return the tasks with one revision wherever they were selected; published ones tell none."""
    told = [side for side in sides if side.task_revisions is not None]
    return [task_id for task_id in common if len(_revisions(told, task_id)) <= 1]


def _revisions(sides: Sequence[Side], task_id: str) -> set[str]:
    return {
        (side.task_revisions or {}).get(task_id, side.name)  # unknown: like no other
        for side in sides
        if task_id in side.tasks
    }


def _pairs(base: Side, candidate: Side, compared: Sequence[str]) -> Pairs:
    repos = {
        task_id: base.tasks[task_id].repo or candidate.tasks[task_id].repo or task_id
        for task_id in compared
    }

    def tries(side: Side, *, lost_resolve: bool) -> list[TaskTries]:
        return [
            _tries(one, repos[one], side.tasks[one], lost_resolve=lost_resolve) for one in compared
        ]

    return Pairs(
        counted=pair_up(tries(base, lost_resolve=False), tries(candidate, lost_resolve=False)),
        worst=pair_up(tries(base, lost_resolve=True), tries(candidate, lost_resolve=False)),
        best=pair_up(tries(base, lost_resolve=False), tries(candidate, lost_resolve=True)),
    )


def _tries(task_id: str, repo: str, tried: Tried, *, lost_resolve: bool) -> TaskTries:
    resolved = tried.resolved + tried.lost * lost_resolve
    return TaskTries(task_id=task_id, repo=repo, resolved=resolved, attempts=tried.planned)


def _scored(side: Side, compared: Collection[str], tries: Sequence[TaskTries]) -> Scored:
    resolved, attempts = sum(one.resolved for one in tries), sum(one.attempts for one in tries)
    return Scored(
        name=side.name,
        model=side.model,
        attempts=attempts,
        resolved=resolved,
        lost=sum(side.tasks[task_id].lost for task_id in compared),
        rate=wilson(resolved, attempts),
        clustered=clustered(tries),
        busy_tok_s=side.busy_tok_s,
    )


def _without_repo(pairs: Sequence[TaskPair]) -> dict[str, float]:
    before = without_each_repo([pair.base for pair in pairs])
    after = without_each_repo([pair.candidate for pair in pairs])
    return {repo: 100 * (after[repo] - before[repo]) for repo in before}


def _caveats(sides: Sequence[Side]) -> tuple[str, ...]:
    told = dict.fromkeys(text for side in sides for text in side.caveats)
    versions = {side.grading for side in sides if side.task_revisions is not None}
    if len(versions) > 1:
        told["judged by different versions of evalkit's grading"] = None
    return tuple(told)

"""A run in figures."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from evalkit.reporting.agreement import Agreement, agreements
from evalkit.reporting.engine import EngineFigures, engine_figures
from evalkit.reporting.run import Run
from evalkit.stats import (
    Interval,
    OfK,
    TaskTries,
    busy_tok_s,
    mean_pass_at_k,
    mean_pass_hat_k,
    output_tok_s,
    wilson,
)
from evalkit.types import WITHOUT_EFFECT, Flag, Outcome, Record, Result, Usage


class Score(Record):
    """A pass rate: how many of how many, with its 95 % Wilson interval."""

    resolved: int
    of: int
    rate: Interval


class Summary(Record):
    """What a run came to."""

    tasks: int
    """Tasks selected."""
    attempts: int
    """Attempts planned a task."""
    outcomes: Mapping[Outcome, int]
    """Attempts by outcome, every outcome named."""
    unfinished: int
    """Attempts planned that have no result."""
    score: Score
    """Of every selected task times its attempts, finished or not."""
    score_without_infra: Score | None
    """With infra errors left out; None where nothing else is left."""
    flags: Mapping[Flag, int]
    """Attempts by flag, of flags that any attempt earned; one attempt may have several."""
    doubtful: int
    """Attempts with a flag that leaves doubt about the outcome: one not in WITHOUT_EFFECT."""
    score_without_doubtful: Score | None
    """With doubtful attempts left out; None where nothing else is left."""
    score_without_known_bad: Score | None
    """Over the tasks whose grading is not known to be wrong; None where all are fine."""
    score_repaired: Score | None
    """With missing final newlines of patches completed; None where that was not asked for."""
    pass_at_k: OfK | None
    """At least one of as many attempts as were planned resolves a task, infra errors left out; None
    where one was planned."""
    pass_hat_k: OfK | None
    """All of them do."""
    turns_median: float | None
    usage: Usage
    """Tokens summed over the results."""
    output_tok_s: float | None
    """Completion tokens a second from the first request to the last token, session by session."""
    busy_tok_s: float | None
    """Completion tokens a second of the time with a request in flight."""
    engine: EngineFigures
    agreements: tuple[Agreement, ...]
    """The engine's counters against what we received, by start of the engine."""


def summarise(run: Run) -> Summary:
    """Sum a run up."""
    planned = len(run.selected) * run.attempts
    counts = Counter(result.outcome for result in run.results)
    resolved = counts[Outcome.RESOLVED]
    flags = Counter(flag for result in run.results for flag in result.flags)
    doubtful = [result for result in run.results if not WITHOUT_EFFECT.issuperset(result.flags)]
    doubtful_resolved = sum(result.outcome is Outcome.RESOLVED for result in doubtful)
    infra = counts[Outcome.INFRA_ERROR]
    tries = _tries(run.results)
    return Summary(
        tasks=len(run.selected),
        attempts=run.attempts,
        outcomes={outcome: counts[outcome] for outcome in Outcome},
        unfinished=planned - len(run.results),
        score=_score(resolved, planned),
        score_without_infra=_score(resolved, planned - infra) if planned > infra else None,
        flags={flag: flags[flag] for flag in Flag if flags[flag]},
        doubtful=len(doubtful),
        score_without_doubtful=_score(resolved - doubtful_resolved, planned - len(doubtful))
        if planned > len(doubtful)
        else None,
        score_without_known_bad=_without_known_bad(run),
        score_repaired=_repaired(run, planned),
        pass_at_k=mean_pass_at_k(tries, run.attempts) if run.attempts > 1 else None,
        pass_hat_k=mean_pass_hat_k(tries, run.attempts) if run.attempts > 1 else None,
        turns_median=median(result.turns for result in run.results) if run.results else None,
        usage=_usage(run.results),
        output_tok_s=output_tok_s(run.requests, run.sessions),
        busy_tok_s=busy_tok_s(run.requests),
        engine=engine_figures(run),
        agreements=agreements(run),
    )


def _score(resolved: int, of: int) -> Score:
    return Score(resolved=resolved, of=of, rate=wilson(resolved, of))


def _tries(results: Iterable[Result]) -> list[TaskTries]:
    by_task = defaultdict(list)
    for result in results:
        if result.outcome is not Outcome.INFRA_ERROR:
            by_task[result.task_id].append(result)
    return [
        TaskTries(
            task_id=task_id,
            repo=tried[0].repo,
            resolved=sum(result.outcome is Outcome.RESOLVED for result in tried),
            attempts=len(tried),
        )
        for task_id, tried in by_task.items()
    ]


def _without_known_bad(run: Run) -> Score | None:
    good = set(run.selected) - run.known_bad
    if len(good) in {0, len(run.selected)}:
        return None
    resolved = sum(
        result.outcome is Outcome.RESOLVED for result in run.results if result.task_id in good
    )
    return _score(resolved, len(good) * run.attempts)


def _repaired(run: Run, planned: int) -> Score | None:
    if not run.manifest.get("repair_newline"):
        return None
    outcomes = [result.repaired_outcome or result.outcome for result in run.results]
    return _score(outcomes.count(Outcome.RESOLVED), planned)


def _usage(results: Iterable[Result]) -> Usage:
    total = Usage()
    for result in results:
        total += Usage(
            prompt_tokens=result.prompt_tokens,
            cached_tokens=result.cached_tokens,
            completion_tokens=result.completion_tokens,
        )
    return total

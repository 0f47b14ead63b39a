"""A comparison in words: rows for a terminal, Markdown for a CI page, JSON for machines."""

from collections.abc import Iterator
from html import escape

from pydantic import JsonValue

from evalkit.reporting.compare import Comparison, Flip, Scored, flip
from evalkit.reporting.gate import Decision
from evalkit.stats import Interval, TaskPair

Row = tuple[str, str]


def rows(comparison: Comparison, decision: Decision) -> Iterator[Row]:
    """Yield (what, told), the answer first."""
    yield "answer", f"{decision.answer.upper()} (exit code {decision.exit_code})"
    for reason in decision.reasons:
        yield "because", reason
    if decision.deciding is not None:
        yield "to decide", _to_decide(decision)
    yield "base", _side(comparison.base)
    yield "candidate", _side(comparison.candidate)
    yield "tasks", _tasks(comparison)
    flips = comparison.mcnemar
    yield (
        "flips",
        f"{flips.losses} resolved by the base alone, {flips.wins} by the candidate alone; "
        f"exact McNemar two-sided p = {flips.p:.2g}",
    )
    yield "difference", _difference(comparison)
    if comparison.without_repo:
        yield "one left out", _without_repo(comparison)
    yield "can see", _can_see(comparison)
    for caveat in comparison.caveats:
        yield "caveat", caveat


def text_lines(comparison: Comparison, decision: Decision) -> list[str]:
    """Return the lines for a terminal; each bears the comparison's mark, where it has one."""
    mark = f"[{comparison.mark}] " if comparison.mark else ""
    return [f"{mark}{what:<13}{told}" for what, told in rows(comparison, decision)]


def markdown(comparison: Comparison, decision: Decision) -> str:
    """Return a page for a CI job's summary: a table, then the tasks that flipped."""
    mark = f" *({escape(comparison.mark)})*" if comparison.mark else ""
    lines = [f"## evalkit compare: {decision.answer}{mark}", "", "| what | told |", "|---|---|"]
    lines += [f"| {what} | {_cell(told)}{mark} |" for what, told in rows(comparison, decision)]
    for kind, title in ((Flip.LOST, "Lost"), (Flip.WON, "Won")):
        tasks = [pair for pair in comparison.pairs.counted if flip(pair) is kind]
        if tasks:
            lines += ["", f"### {title}: {len(tasks)}{mark}", ""]
            lines += [f"- `{pair.task_id}`: {counts(pair)}{mark}" for pair in tasks]
    return "\n".join(lines) + "\n"


def as_json(comparison: Comparison, decision: Decision) -> dict[str, JsonValue]:
    """Return all of it for machines, a row a task."""
    return {
        **decision.model_dump(mode="json"),
        "exit_code": decision.exit_code,
        "p_drop": comparison.p_drop,
        **comparison.model_dump(mode="json", exclude={"pairs"}),
        "tasks": [
            {**pair.model_dump(mode="json"), "flip": flip(pair).value}
            for pair in comparison.pairs.counted
        ],
    }


def counts(pair: TaskPair) -> str:
    """Say how often each side resolved a task."""
    base, candidate = pair.base, pair.candidate
    return (
        f"base {base.resolved} of {base.attempts}, "
        f"candidate {candidate.resolved} of {candidate.attempts}"
    )


def _side(side: Scored) -> str:
    model = f" ({side.model})" if side.model else ""
    lost = f", {side.lost} lost to infrastructure or unfinished" if side.lost else ""
    clustered = side.clustered  # of no width where every repository scores the same: says nothing
    by_repo = f"; by repository {_span(clustered)}" if clustered and clustered.width else ""
    speed = f"; busy_tok_s {side.busy_tok_s:.1f}" if side.busy_tok_s is not None else ""
    return (
        f"{side.name}{model}: {side.resolved} of {side.attempts} attempts{lost}, "
        f"{side.rate.estimate:.1%} (95 % interval {_span(side.rate)}{by_repo}){speed}"
    )


def _span(interval: Interval) -> str:
    return f"{interval.low:.1%} to {interval.high:.1%}"


def _tasks(comparison: Comparison) -> str:
    beside = [
        f"{count} {what}"
        for count, what in (
            (comparison.changed, "left out, not known to be unchanged"),
            (comparison.only_base, "only in the base"),
            (comparison.only_candidate, "only in the candidate"),
        )
        if count
    ]
    return ", ".join([f"{len(comparison.pairs.counted)} compared", *beside])


def _difference(comparison: Comparison) -> str:
    found = comparison.difference
    drawn = "repositories" if found.by_repo else "tasks"
    return (
        f"{found.estimate:+.1f} points (95 % interval {found.low:+.1f} to {found.high:+.1f}; "
        f"paired bootstrap over {found.clusters} {drawn}, two-sided p = {found.p:.2g})"
    )


def _without_repo(comparison: Comparison) -> str:
    ordered = sorted(comparison.without_repo.items(), key=lambda one: one[1])
    (low_repo, low), (high_repo, high) = ordered[0], ordered[-1]
    return f"{low:+.1f} points without {low_repo}, {high:+.1f} without {high_repo}"


def _can_see(comparison: Comparison) -> str:
    if comparison.detectable is None:
        return "unknown: the attempts show no scatter to reckon with"
    if comparison.detectable > 100:
        return "no drop at all: the tasks are too few"
    return f"a true drop of {comparison.detectable:.1f} points or more, in 80 % of comparisons"


def _to_decide(decision: Decision) -> str:
    more = decision.deciding
    if more is None or more.tasks is None:
        return "unknown: the attempts show no scatter to reckon with"
    tasks = f"about {more.tasks:,} tasks at these attempts"
    if more.attempts is None:
        return f"{tasks}; of attempts no number is known that would do"
    return f"{tasks}, or {more.attempts:,} attempts a task in both runs"


def _cell(text: str) -> str:
    return escape(text, quote=False).replace("|", "&#124;")

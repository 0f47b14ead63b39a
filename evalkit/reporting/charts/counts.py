"""The chart of outcomes."""

import textwrap
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from evalkit.reporting.frames import Frames
from evalkit.reporting.run import Run
from evalkit.reporting.style import (
    MUTED,
    OUTCOME_FILLS,
    UNFINISHED_FILL,
    Canvas,
    Fill,
    caption,
    house_style,
    legible,
    plural,
)
from evalkit.reporting.summary import Score, Summary, summarise
from evalkit.types import Outcome

_BAR, _LINE, _GAP = 0.26, 0.155, 0.2  # inches
_MOST_NAME_LINES = 3


class _Row(NamedTuple):
    label: str
    fill: Fill
    total: int
    names: list[str]
    """Lines of task names, as many as have room."""

    @property
    def height(self) -> float:
        return _BAR + _LINE * len(self.names) + _GAP


def outcomes(frames: Frames) -> Figure:
    """Draw how many attempts came to which outcome, and which tasks they were."""
    run = frames.run
    summary = summarise(run)
    rows = _rows(run, summary)
    body = sum(row.height for row in rows)
    with house_style():
        canvas = Canvas(_title(summary), [caption(run), *_scores_apart(summary)], body=body)
        axes = canvas.axes(above=0, height=body, left=1.5)
        axes.set_xlim(0, max(row.total for row in rows) * 1.16)
        axes.set_ylim(body, 0)
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(_noun(summary) + "s")
        top = 0.0
        for row in rows:
            _draw(axes, row, top, of=summary.score.of)
            top += row.height
    return canvas.figure


def _rows(run: Run, summary: Summary) -> list[_Row]:
    rows = []
    for outcome, fill in OUTCOME_FILLS.items():
        tasks = [result.task_id for result in run.results if result.outcome is outcome]
        if tasks:
            rows.append(_Row(outcome.replace("_", " "), fill, len(tasks), _name_lines(tasks)))
    if summary.unfinished:
        done = Counter(result.task_id for result in run.results)
        tasks = [task for task in run.selected for _ in range(run.attempts - done[task])]
        rows.append(_Row("not finished", UNFINISHED_FILL, len(tasks), _name_lines(tasks)))
    return rows


def _name_lines(tasks: Iterable[str]) -> list[str]:
    """Return the names in lines; where they are too many, the first and how many more."""
    times = Counter(legible(task) for task in tasks)
    names = [f"{task} ({count}x)" if count > 1 else task for task, count in sorted(times.items())]
    for shown in range(min(len(names), 100), 0, -1):
        more = f" and {len(names) - shown} more" if shown < len(names) else ""
        text = ", ".join(names[:shown]) + more
        lines = textwrap.wrap(text, 96, break_on_hyphens=False)
        if len(lines) <= _MOST_NAME_LINES:
            return lines
    return []


def _draw(axes: Axes, row: _Row, top: float, of: int) -> None:
    middle = top + _GAP / 2 + _BAR / 2
    axes.barh(
        middle,
        row.total,
        height=_BAR,
        color=row.fill.colour,
        hatch=row.fill.hatch,
        edgecolor="white",
        linewidth=0,
    )
    axes.annotate(
        row.label,
        (0, middle),
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        annotation_clip=False,
    )
    axes.annotate(
        f"{row.total:,} ({row.total / of:.0%})",
        (row.total, middle),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
    )
    axes.annotate(
        "\n".join(row.names),
        (0, middle + _BAR / 2),
        xytext=(3, -2),
        textcoords="offset points",
        va="top",
        size=7.5,
        color=MUTED,
    )


def _title(summary: Summary) -> str:
    score = summary.score
    return f"{score.resolved:,} of {plural(score.of, _noun(summary))} resolved: {_rate(score)}"


def _noun(summary: Summary) -> str:
    return "task" if summary.attempts == 1 else "attempt"


def _scores_apart(summary: Summary) -> list[str]:
    lines = []
    infra = summary.outcomes[Outcome.INFRA_ERROR]
    if infra and summary.score_without_infra:
        lines.append(_apart(plural(infra, "infra error"), summary.score_without_infra))
    if summary.doubtful and summary.score_without_doubtful:
        what = plural(summary.doubtful, "doubtful attempt")
        lines.append(_apart(what, summary.score_without_doubtful))
    if summary.flags:
        counts = [f"{count:,} {flag.replace('_', ' ')}" for flag, count in summary.flags.items()]
        lines.append(f"Attempts by flag: {', '.join(counts)}")
    return lines


def _apart(left_out: str, score: Score) -> str:
    return f"Without {left_out}: {score.resolved:,} of {score.of:,} resolved, {_rate(score)}"


def _rate(score: Score) -> str:
    rate = score.rate
    return f"{rate.estimate:.1%} (95% interval {rate.low:.1%} to {rate.high:.1%})"

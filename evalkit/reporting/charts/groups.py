"""Outcomes and scores by repository or language."""

from collections.abc import Sequence
from math import ceil
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from evalkit.reporting.charts.own import captions, gid, looks, names
from evalkit.reporting.frames import Frames
from evalkit.reporting.style import (
    INK,
    OUTCOME_FILLS,
    UNFINISHED_FILL,
    Canvas,
    Look,
    house_style,
    legible,
    plural,
)
from evalkit.stats import wilson

By = Literal["repo", "language"]
_NOUNS = {"repo": "repository", "language": "language"}
_MOST = 30
_COLUMNS = 4
"""Of the legend."""
_ROW = 0.34  # inches
_FILLS = {
    **{str(outcome): fill for outcome, fill in OUTCOME_FILLS.items()},
    "unfinished": UNFINISHED_FILL,
}


def outcomes_by(run: Frames, by: By) -> Figure | None:
    """Draw each repository's or language's outcomes as shares, with the score's interval.

    Only results name repository and language, so attempts without a result are under their task's,
    or left out where the task has none. None where there are not two to tell apart.
    """
    groups, left_out = _groups([run], by)
    if len(groups) < 2:
        return None
    attempts = _named(run, by)
    attempts = attempts[attempts[by].isin(groups)]
    present = [name for name in _FILLS if (attempts["outcome"] == name).any()]
    body, legend = _ROW * len(groups), 0.1 + 0.2 * ceil(len(present) / _COLUMNS)
    with house_style():
        caption = _caption([run], by, left_out)
        canvas = Canvas(f"Outcomes by {_NOUNS[by]}", caption, body=body + legend)
        axes = canvas.axes(above=0, height=body, left=2.4)
        for row, group in enumerate(groups):
            _bar(axes, attempts[attempts[by] == group], row, present, group)
        _frame(axes, groups)
        _legend(axes, present)
    return canvas.figure


def scores_by(by: By, *runs: Frames) -> Figure | None:
    """Draw each repository's or language's score with its interval, runs beside each other.

    None where no attempt of any run has finished.
    """
    groups, left_out = _groups(runs, by)
    if not groups:
        return None
    row = 0.14 * len(runs) + 0.16
    body, legend = row * len(groups), 0.1 + 0.2 * ceil(len(runs) / 2)
    with house_style():
        caption = _caption(runs, by, left_out)
        canvas = Canvas(f"Resolved by {_NOUNS[by]}", caption, body=body + legend)
        axes = canvas.axes(above=0, height=body, left=2.4)
        for number, (name, run, look) in enumerate(
            zip(names(runs), runs, looks(runs), strict=True)
        ):
            at = (number - (len(runs) - 1) / 2) * 0.14 / row
            scores = _scores(_named(run, by), by, groups)
            _dots(axes, scores, look, at, name)
        _frame(axes, groups)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, fontsize=8)
    return canvas.figure


def _named(run: Frames, by: By) -> pd.DataFrame:
    """Return the attempts; those without a result under the repository of their task's others."""
    table = run.attempts
    known = table.dropna(subset=[by]).drop_duplicates("task_id").set_index("task_id")[by]
    return table.assign(**{by: table[by].fillna(table["task_id"].map(known))})


def _groups(runs: Sequence[Frames], by: By) -> tuple[list[str], int]:
    """Return the names, those with most attempts first, and how many have no room."""
    every = pd.concat([_named(run, by)[by] for run in runs]).dropna()
    # Equal counts stand in the order of the names.
    groups = [str(name) for name in every.sort_values().value_counts(sort=True).index]
    return groups[:_MOST], max(0, len(groups) - _MOST)


def _caption(runs: Sequence[Frames], by: By, left_out: int) -> list[str]:
    lines = ["Lines with caps: 95% Wilson interval of the share resolved."]
    if left_out:
        lines.append(f"Without {left_out} more, of the fewest attempts.")
    nameless = sum(int(_named(run, by)[by].isna().sum()) for run in runs)
    if nameless:
        left = plural(nameless, "attempt")
        lines.append(f"{left} without a result tell of no {_NOUNS[by]} and are left out.")
    return [*lines, *captions(runs)]


def _scores(attempts: pd.DataFrame, by: By, groups: list[str]) -> pd.DataFrame:
    """Return counts of attempts and of resolved ones: a row a group, by its place."""
    counts = attempts.groupby(by)["resolved"].agg(["sum", "size"])
    found = counts.reindex(groups).reset_index(drop=True).dropna()
    return found.astype(int)


def _bar(axes: Axes, attempts: pd.DataFrame, row: int, present: Sequence[str], group: str) -> None:
    total, left = len(attempts), 0.0
    for name in present:
        share = float((attempts["outcome"] == name).mean())
        fill = _FILLS[name]
        axes.barh(
            row,
            share,
            left=left,
            height=0.62,
            color=fill.colour,
            hatch=fill.hatch,
            edgecolor="white",
            linewidth=0,
            gid=gid(name, group),
        )
        left += share
    resolved = int(attempts["resolved"].sum())
    rate = wilson(resolved, total)
    axes.plot([rate.low, rate.high], [row, row], color="white", linewidth=3.6)
    axes.plot([rate.low, rate.high], [row, row], "|-", color=INK, linewidth=1.5, ms=7)
    _count(axes, row, f"{resolved:,} of {total:,} ({rate.estimate:.0%})")


def _dots(axes: Axes, scores: pd.DataFrame, look: Look, at: float, name: str) -> None:
    for row, resolved, total in scores.itertuples():
        rate = wilson(resolved, total)
        axes.plot([rate.low, rate.high], [row + at] * 2, "|-", color=look.colour, linewidth=1.4)
        _count(axes, row + at, f"{resolved:,} of {total:,}", size=7)
    shares = scores["sum"] / scores["size"]
    axes.plot(
        shares,
        scores.index + at,
        look.marker,
        color=look.colour,
        ms=5,
        label=name,
        gid=gid("run", name),
    )


def _count(axes: Axes, y: float, words: str, size: float = 8) -> None:
    axes.annotate(
        words,
        (1, y),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        xytext=(4, 0),
        va="center",
        size=size,
        annotation_clip=False,
    )


def _frame(axes: Axes, groups: Sequence[str]) -> None:
    # Room on the right for the counts.
    box = axes.get_position()
    axes.set_position((box.x0, box.y0, box.width - 0.125, box.height))
    axes.set_yticks(range(len(groups)), [_short(group) for group in groups], size=8.5)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("share of planned attempts")


def _short(name: str) -> str:
    return legible(name if len(name) <= 34 else f"{name[:33]}…")


def _legend(axes: Axes, present: Sequence[str]) -> None:
    for name in present:
        fill = _FILLS[name]
        axes.bar(
            0,
            0,
            color=fill.colour,
            hatch=fill.hatch,
            edgecolor="white",
            label=name.replace("_", " "),
        )
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=_COLUMNS,
        frameon=False,
        fontsize=8,
        columnspacing=1.2,
    )
    axes.set(xlim=(0, 1))

"""Every published SWE-bench Pro score, set by set."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.reporting.charts.own import beside_published, gid, looks, names, score
from evalkit.reporting.frames import Frames
from evalkit.reporting.style import INK, MUTED, Canvas, house_style

_ROW = 0.21  # inches
_APART = (
    "The sets differ in scaffold, prompt, limits and day, so compare within a set only. "
    "Sources: the files of reports/published."
)


def published_sets(scores: pd.DataFrame, runs: Sequence[Frames] = ()) -> Figure:
    """Draw a row a model under the heading of its set, with its range where one is told.

    `scores` has the columns of `published.SCORES`, as `published.pro_scores` returns.
    """
    groups = list(scores.groupby("set", sort=False))
    rows = len(scores) + len(groups) + (len(runs) + 1 if runs else 0)
    with house_style():
        title = f"SWE-bench Pro as published: {len(groups)} sets that do not mix"
        canvas = Canvas(title, [_APART, *beside_published(runs)], body=rows * _ROW)
        axes = canvas.axes(above=0, height=rows * _ROW, left=2.75)
        axes.set_ylim(rows - 0.5, -0.5)
        axes.set_yticks([])
        top = 0
        for name, part in groups:
            _heading(axes, str(name), top)
            top = _points(axes, part, top + 1)
        _own(axes, runs, top)
        axes.set_xlabel("resolved (%)")
    return canvas.figure


def _heading(axes: Axes, words: str, y: float) -> None:
    _word(axes, words, y, INK, "bold")
    axes.axhline(y - 0.5, color=MUTED, linewidth=0.5)


def _word(axes: Axes, words: str, y: float, colour: str, weight: str = "normal") -> None:
    axes.annotate(
        words,
        (0, y),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        xytext=(-180, 0),
        va="center",
        size=8,
        annotation_clip=False,
        color=colour,
        weight=weight,
    )


def _points(axes: Axes, part: pd.DataFrame, top: int) -> int:
    for _, row in part.iterrows():
        _word(axes, str(row["model"]), top, MUTED)
        name = f"{row['set']}-{row['model']}"
        axes.plot(
            [row["low_pct"], row["high_pct"]],
            [top, top],
            color=MUTED,
            linewidth=1.4,
            gid=gid("range", name),
        )
        axes.plot(
            row["score_pct"],
            top,
            "o",
            color="white",
            mec=INK,
            mew=1.2,
            ms=5,
            gid=gid("point", name),
        )
        top += 1
    return top


def _own(axes: Axes, runs: Sequence[Frames], top: int) -> None:
    if runs:
        _heading(axes, "own runs (bars: 95% interval)", top)
    for name, run, look in zip(names(runs), runs, looks(runs), strict=True):
        top += 1
        rate = score(run)
        _word(axes, name, top, look.colour)
        axes.plot([100 * rate.low, 100 * rate.high], [top, top], color=look.colour, linewidth=1.6)
        axes.plot(100 * rate.estimate, top, look.marker, color=look.colour, gid=gid("run", name))

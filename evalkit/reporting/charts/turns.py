"""The chart of score and turns, as published for SWE-bench Pro."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cbook import boxplot_stats
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from evalkit.reporting.charts.labels import Label, place
from evalkit.reporting.charts.own import beside_published, gid, looks, names, score
from evalkit.reporting.frames import Frames
from evalkit.reporting.published import sources
from evalkit.reporting.style import MUTED, Canvas, house_style

_HALF = 0.15
"""Of a box's height, in percent; also round each score as margin, times the following."""
_MARGIN = 2.0
_FILL = "#C9C9C9"


def score_against_turns(published: pd.DataFrame, runs: Sequence[Frames] = ()) -> Figure:
    """Draw a horizontal box of turns an attempt at each score, own runs with their intervals.

    `published` has the columns of `published.TURNS`. Boxes are quartiles, whiskers reach 1.5
    interquartile ranges at most (Tukey); points beyond them are not drawn.
    """
    boxes = [*_own(runs), *_published(published)]
    with house_style():
        caption = [sources(published), "Boxes: quartiles; whiskers: up to 1.5 times the box."]
        title = "SWE-bench Pro: resolved, and turns an attempt"
        canvas = Canvas(title, [*caption, *beside_published(runs)], body=3.6)
        axes = canvas.axes(above=0, height=3.6, left=0.95)
        _limits(axes, boxes, runs)
        labels = [_draw(axes, **box) for box in boxes]
        _intervals(axes, runs)
        place(axes, labels, clear=_drawn(axes, boxes))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=9, steps=[1, 2, 5, 10], integer=True))
        axes.set_xlabel("turns an attempt")
        axes.set_ylabel("resolved (%)")
    return canvas.figure


def _published(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "name": str(row["model"]),
            "y": float(row["score_pct"]),
            "five": [
                float(row[key]) for key in ("whisker_low", "q1", "median", "q3", "whisker_high")
            ],
            "colour": MUTED,
            "kind": "box",
        }
        for _, row in table.iterrows()
    ]


def _own(runs: Sequence[Frames]) -> list[dict[str, Any]]:
    boxes = []
    for name, run, look in zip(names(runs), runs, looks(runs), strict=True):
        turns = run.attempts["turns"].dropna().astype(float)
        turns = turns[turns > 0]
        if len(turns):
            (stats,) = boxplot_stats(turns)
            boxes.append(
                {
                    "name": name,
                    "y": 100 * score(run).estimate,
                    "five": [float(stats[key]) for key in ("whislo", "q1", "med", "q3", "whishi")],
                    "colour": look.colour,
                    "kind": "run",
                }
            )
    return boxes


def _limits(axes: Axes, boxes: Sequence[Mapping[str, Any]], runs: Sequence[Frames]) -> None:
    """Reach as far round the boxes as the published figure does."""
    low, high = min(box["five"][0] for box in boxes), max(box["five"][4] for box in boxes)
    axes.set_xlim(low - 0.05 * (high - low), high + 50)
    rates = [score(run) for run in runs]
    lowest = min([*(box["y"] for box in boxes), *(100 * rate.low for rate in rates)])
    highest = max([*(box["y"] for box in boxes), *(100 * rate.high for rate in rates)])
    axes.set_ylim(lowest - _MARGIN, highest + _MARGIN)


def _draw(
    axes: Axes, *, name: str, y: float, five: Sequence[float], colour: str, kind: str
) -> Label:
    low, q1, median, q3, high = five
    half = _half(axes)
    own = kind == "run"
    for x, to in ((low, q1), (q3, high)):
        axes.plot([x, to], [y, y], color=colour, linewidth=1.6)
    for x in (low, high):
        axes.plot([x, x], [y - half / 2, y + half / 2], color=colour, linewidth=1.6)
    box = Rectangle((q1, y - half), q3 - q1, 2 * half, gid=gid(kind, name))
    box.set(facecolor=colour if own else _FILL, alpha=0.75, edgecolor=colour)
    axes.add_patch(box)
    axes.plot(
        [median, median],
        [y - half, y + half],
        color="white" if own else colour,
        linewidth=3,
        gid=gid(f"{kind}-median", name),
    )
    words = f"{name} ({y:.1f}%)"
    return Label(words, high, y, colour, "bold" if own else "normal")


def _half(axes: Axes) -> float:
    """Return half of a box's height in percent: as high on the page as in the published figure."""
    low, high = axes.get_ylim()
    return _HALF * (high - low) / 8.5


def _drawn(axes: Axes, boxes: Sequence[Mapping[str, Any]]) -> list[Bbox]:
    """Return where boxes and whiskers are."""
    half, drawn = _half(axes), []
    for box in boxes:
        low, q1, _, q3, high = box["five"]
        drawn.append(Bbox.from_extents(low, box["y"], high, box["y"]))
        drawn.append(Bbox.from_extents(q1, box["y"] - half, q3, box["y"] + half))
    return drawn


def _intervals(axes: Axes, runs: Sequence[Frames]) -> None:
    """Draw each run's interval at its median, cut off at the axes' ends."""
    for run, look in zip(runs, looks(runs), strict=True):
        rate, turns = score(run), run.attempts["turns"].dropna().astype(float)
        turns = turns[turns > 0]
        if len(turns):
            axes.plot(
                [turns.median()] * 2,
                [100 * rate.low, 100 * rate.high],
                color=look.colour,
                linewidth=1.2,
                linestyle=":",
            )

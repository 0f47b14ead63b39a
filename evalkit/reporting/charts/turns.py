"""The chart of score and turns, as published for SWE-bench Pro."""

from collections.abc import Sequence
from typing import NamedTuple

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
from evalkit.stats import Interval

_HEIGHT = 0.3 / 8.5
"""Of a box, as a share of the axes: that of the published figure."""
_ABOVE, _RIGHT = 2.0, 50.0
"""Percent beyond the scores and turns beyond the whiskers that the axes reach, as there."""
_FILL = "#C9C9C9"
_HOW = "Boxes: quartiles; whiskers: up to 1.5 times the box. Dotted: an own run's interval."


class _Box(NamedTuple):
    name: str
    percent: float
    five: Sequence[float]
    """Turns at whisker, quartile, median, quartile, whisker."""
    colour: str = MUTED
    rate: Interval | None = None
    """Of an own run."""

    @property
    def kind(self) -> str:
        return "box" if self.rate is None else "run"

    @property
    def span(self) -> tuple[float, float]:
        """Return what the axes must hold, in percent."""
        if self.rate is None:
            return self.percent, self.percent
        return 100 * self.rate.low, 100 * self.rate.high


def score_against_turns(published: pd.DataFrame, runs: Sequence[Frames] = ()) -> Figure:
    """Draw a horizontal box of turns an attempt at each score, own runs with their intervals.

    `published` has the columns of `published.TURNS`. Boxes are quartiles, whiskers reach 1.5
    interquartile ranges at most (Tukey); points beyond them are not drawn. Runs that took no turn
    have no box.
    """
    boxes = [*_own(runs), *_published(published)]
    with house_style():
        title = "SWE-bench Pro: resolved, and turns an attempt"
        canvas = Canvas(title, [sources(published), _HOW, *beside_published(runs)], body=3.6)
        axes = canvas.axes(above=0, height=3.6, left=0.95)
        _limits(axes, boxes)
        half = _HEIGHT / 2 * (axes.get_ylim()[1] - axes.get_ylim()[0])
        for box in boxes:
            _draw(axes, box, half)
        labels = [_label(box) for box in boxes]
        place(axes, labels, clear=[area for box in boxes for area in _areas(box, half)])
        axes.yaxis.set_major_locator(MaxNLocator(nbins=9, steps=[1, 2, 5, 10], integer=True))
        axes.set_xlabel("turns an attempt")
        axes.set_ylabel("resolved (%)")
    return canvas.figure


def _published(table: pd.DataFrame) -> list[_Box]:
    five = table[["whisker_low", "q1", "median", "q3", "whisker_high"]].to_numpy(dtype=float)
    return [
        _Box(str(name), percent, list(turns))
        for name, percent, turns in zip(table["model"], table["score_pct"], five, strict=True)
    ]


def _own(runs: Sequence[Frames]) -> list[_Box]:
    boxes = []
    for name, run, look in zip(names(runs), runs, looks(runs), strict=True):
        turns = run.attempts["turns"].dropna().astype(float)
        if turns.gt(0).any():
            (stats,) = boxplot_stats(turns[turns > 0])
            five = [float(stats[key]) for key in ("whislo", "q1", "med", "q3", "whishi")]
            rate = score(run)
            boxes.append(_Box(name, 100 * rate.estimate, five, look.colour, rate))
    return boxes


def _limits(axes: Axes, boxes: Sequence[_Box]) -> None:
    """Reach as far round the boxes as the published figure does."""
    low, high = min(box.five[0] for box in boxes), max(box.five[4] for box in boxes)
    axes.set_xlim(low - 0.05 * (high - low), high + _RIGHT)
    axes.set_ylim(
        min(box.span[0] for box in boxes) - _ABOVE, max(box.span[1] for box in boxes) + _ABOVE
    )


def _draw(axes: Axes, box: _Box, half: float) -> None:
    """Draw a box `half` percent high to either side of its score."""
    low, q1, median, q3, high = box.five
    y, own = box.percent, box.rate is not None
    axes.hlines([y, y], [low, q3], [q1, high], color=box.colour, linewidth=1.6)
    axes.vlines([low, high], y - half / 2, y + half / 2, color=box.colour, linewidth=1.6)
    if own:
        axes.plot([median, median], box.span, color=box.colour, linewidth=1.2, linestyle=":")
    area = Rectangle((q1, y - half), q3 - q1, 2 * half, gid=gid(box.kind, box.name))
    area.set(facecolor=box.colour if own else _FILL, alpha=0.75, edgecolor=box.colour)
    axes.add_patch(area)
    axes.plot(
        [median, median],
        [y - half, y + half],
        color="white" if own else box.colour,
        linewidth=3,
        gid=gid(f"{box.kind}-median", box.name),
    )


def _label(box: _Box) -> Label:
    words = f"{box.name} ({box.percent:.1f}%)"
    weight = "normal" if box.rate is None else "bold"
    return Label(words, box.five[4], box.percent, box.colour, weight)


def _areas(box: _Box, half: float) -> tuple[Bbox, Bbox]:
    """Return where whiskers and box are."""
    low, q1, _, q3, high = box.five
    y = box.percent
    return Bbox.from_extents(low, y, high, y), Bbox.from_extents(q1, y - half, q3, y + half)

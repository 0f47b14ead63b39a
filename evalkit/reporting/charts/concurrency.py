"""Tokens a second against how many requests ran."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from evalkit.reporting.frames import Frames
from evalkit.reporting.style import BLUE, MUTED, Canvas, caption, house_style

_MOST_BINS = 24
_HOW = (
    "Between two looks at the engine's counters: output tokens of all requests together, against "
    "the mean of those running. Dots: tokens of all such stretches by their seconds; lines: the "
    "middle half of the stretches."
)


def tokens_by_concurrency(run: Frames) -> Figure | None:
    """Draw output tokens a second against requests running, and below it how long so many ran.

    None where the engine was not sampled, or nothing ran at any look.
    """
    stretches = _stretches(run.engine)
    if stretches.empty:
        return None
    levels = _levels(stretches)
    with house_style():
        canvas = Canvas(
            "Output tokens a second by requests running", [_HOW, caption(run.run)], body=3.6
        )
        speed = canvas.axes(above=1.0, height=2.5, left=1.05)
        time = canvas.axes(above=0, height=0.75, left=1.05)
        _speed(speed, levels)
        width = levels.attrs["width"]
        time.bar(levels.index, levels["seconds"] / 60, width=0.85 * width, color=MUTED)
        for axes in (speed, time):
            axes.set_xlim(0, float(levels.index.max()) + width)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        time.yaxis.set_major_locator(MaxNLocator(nbins=3))
        time.grid(visible=False, axis="x")
        speed.tick_params(labelbottom=False)
        speed.set_ylabel("output tokens\na second")
        time.set_ylabel("minutes")
        time.set_xlabel("requests running")
        canvas.figure.align_ylabels([speed, time])
    return canvas.figure


def _stretches(engine: pd.DataFrame) -> pd.DataFrame:
    """Return what went on between two looks at one start of the engine."""
    of_one = engine.groupby("incarnation")
    table = pd.DataFrame(
        {
            "seconds": of_one["t"].diff(),
            "tokens": of_one["generation_tokens"].diff(),
            "running": (engine["running"] + of_one["running"].shift()) / 2,
        }
    ).dropna()
    good = (table["seconds"] > 0) & (table["tokens"] >= 0) & (table["running"] > 0)
    return table[good]


def _levels(stretches: pd.DataFrame) -> pd.DataFrame:
    """Return the stretches by requests running: index their number, a level's middle."""
    width = max(1.0, np.ceil(stretches["running"].max() / _MOST_BINS))
    level = np.maximum(1.0, (stretches["running"] / width).round()) * width
    stretches = stretches.assign(speed=stretches["tokens"] / stretches["seconds"])
    by = stretches.groupby(level)
    levels = by[["seconds", "tokens"]].sum()
    levels["speed"] = levels["tokens"] / levels["seconds"]
    levels["low"], levels["high"] = by["speed"].quantile(0.25), by["speed"].quantile(0.75)
    levels.attrs["width"] = width
    return levels


def _speed(axes: Axes, levels: pd.DataFrame) -> None:
    axes.vlines(levels.index, levels["low"], levels["high"], color=BLUE, linewidth=1.4)
    axes.plot(levels.index, levels["speed"], "o", color=BLUE, ms=5, gid="levels")
    axes.set_ylim(0, max(1e-9, levels["speed"].max(), levels["high"].max()) * 1.08)

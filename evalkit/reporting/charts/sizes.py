"""The chart of score against model size, as published for SWE-bench Pro."""

from collections.abc import Sequence
from math import isnan

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from matplotlib.transforms import Bbox

from evalkit.reporting.charts.labels import Label, place
from evalkit.reporting.charts.own import beside_published, gid, looks, names, score, size_b
from evalkit.reporting.frames import Frames
from evalkit.reporting.published import sources
from evalkit.reporting.style import INK, MUTED, Canvas, house_style

UNKNOWN_B = 1350.0
"""Where the figure puts models whose size is not known, in billions of parameters."""
FRONTIER = (42.71, 0.00209)
"""Percent at no parameters, and more for each billion: the line that bounds the shaded region,
measured on the published figure (Qwen blog, February 2026, swebench_pro.png)."""
_LEFT_B, _RIGHT_B = -30.0, 1700.0
_LOW, _HIGH = 32.0, 50.0
_TICKS_APART_B = 40.0


def score_against_size(published: pd.DataFrame, runs: Sequence[Frames] = ()) -> Figure:
    """Draw scores against billions of parameters, own runs with their intervals.

    `published` has the columns of `published.SIZES`. The axes are the published figure's, and reach
    further only where a run does.
    """
    with house_style():
        title = "SWE-bench Pro: resolved against model size"
        canvas = Canvas(title, [*_captions(published), *beside_published(runs)], body=3.45)
        axes = canvas.axes(above=0, height=3.45, left=0.95)
        _limits(axes, runs)
        _frontier(axes)
        labels = _own(axes, runs) + _points(axes, published)
        _ticks(axes, published, runs)
        bars = [_bar(run) for run in runs]
        place(axes, labels, clear=bars)
    return canvas.figure


def _captions(published: pd.DataFrame) -> list[str]:
    return [
        sources(published),
        'Diamonds, under "?": size not known. Shaded: the region that the published figure calls '
        f"the Pareto frontier, above {FRONTIER[0]} + {FRONTIER[1]} x billions of parameters.",
    ]


def _limits(axes: Axes, runs: Sequence[Frames]) -> None:
    rates = [score(run) for run in runs]
    axes.set_xlim(_LEFT_B, max([_RIGHT_B, *(1.1 * (size_b(run)[0] or 0) for run in runs)]))
    axes.set_ylim(
        min([_LOW, *(100 * rate.low - 1 for rate in rates)]),
        max([_HIGH, *(100 * rate.high + 1 for rate in rates)]),
    )


def _frontier(axes: Axes) -> None:
    low, slope = FRONTIER
    right, top = axes.get_xlim()[1], axes.get_ylim()[1]
    line = [low, low + slope * right]
    axes.fill_between([0, right], line, top, color="#EAF3F8", linewidth=0, gid="frontier")
    axes.plot([0, right], line, color="#9DBFD1", linewidth=0.8)
    axes.annotate(
        "frontier region",
        (0.5, 1),
        xycoords="axes fraction",
        textcoords="offset points",
        xytext=(0, -8),
        ha="center",
        va="top",
        size=9,
        color=MUTED,
    )


def _points(axes: Axes, published: pd.DataFrame) -> list[Label]:
    labels = []
    for model, total, active, percent in zip(
        published["model"],
        published["total_params_b"],
        published["active_params_b"],
        published["score_pct"],
        strict=True,
    ):
        known = not isnan(total)
        x = total if known else UNKNOWN_B
        marker = "o" if known else "D"
        axes.plot(x, percent, marker, color="white", mec=INK, mew=1.4, gid=gid("point", model))
        labels.append(Label(_words(model, active), x, percent, MUTED))
    return labels


def _bar(run: Frames) -> Bbox:
    """Return where a run's interval is drawn."""
    rate, x = score(run), _place_b(run)
    return Bbox.from_extents(x, 100 * rate.low, x, 100 * rate.high)


def _place_b(run: Frames) -> float:
    total = size_b(run)[0]
    return UNKNOWN_B if total is None else total


def _own(axes: Axes, runs: Sequence[Frames]) -> list[Label]:
    labels = []
    for name, run, look in zip(names(runs), runs, looks(runs), strict=True):
        rate, active = score(run), size_b(run)[1]
        x, y = _place_b(run), 100 * rate.estimate
        axes.plot(x, y, look.marker, color=look.colour, ms=8, gid=gid("run", name))
        axes.errorbar(
            x,
            y,
            [[y - 100 * rate.low], [100 * rate.high - y]],
            color=look.colour,
            capsize=4,
            linewidth=1.4,
        )
        words = f"{_words(name, active)}\n{rate.estimate:.1%}"
        labels.append(Label(words, x, y, look.colour, "bold"))
    return labels


def _words(model: str, active: float | None) -> str:
    return model if active is None or isnan(active) else f"{model}\n({active:g}B active)"


def _ticks(axes: Axes, published: pd.DataFrame, runs: Sequence[Frames]) -> None:
    """Name the sizes of the published models, and of runs where there is room."""
    ticks = sorted({0.0, *published["total_params_b"].dropna()})
    for run in runs:
        total = size_b(run)[0]
        if total and all(abs(total - tick) >= _TICKS_APART_B for tick in [*ticks, UNKNOWN_B]):
            ticks.append(total)
    axes.set_xticks([*ticks, UNKNOWN_B], [*(f"{tick:g}" for tick in ticks), "?"])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=10, steps=[1, 2, 5, 10], integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.set_xlabel("total parameters (billions)")
    axes.set_ylabel("resolved")

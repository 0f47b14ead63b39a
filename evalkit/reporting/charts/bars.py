"""Grouped bars of several benchmarks, as published."""

from collections.abc import Sequence
from textwrap import wrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.reporting.charts.own import PRO, beside_published, gid, looks, names, score
from evalkit.reporting.frames import Frames
from evalkit.reporting.published import sources
from evalkit.reporting.style import INK, OUTCOME_FILLS, Canvas, house_style

_BAR = 0.18
"""Width of a bar where groups are 1 apart, in the published figure and here."""
_FILLS = tuple(OUTCOME_FILLS.values())
_GROUP = "SWE-Bench Pro"


def benchmarks(published: pd.DataFrame, runs: Sequence[Frames] = ()) -> Figure:
    """Draw a group of bars a benchmark, a bar a model; own runs beside the SWE-bench Pro group.

    `published` has the columns of `published.BENCHMARKS`. Runs of another suite than SWE-bench Pro
    stand there too, and the caption says so.
    """
    models = [str(name) for name in published.columns if name not in {"benchmark", "source"}]
    with house_style():
        caption = [sources(published), *beside_published(runs)]
        canvas = Canvas("Coding benchmarks", caption, body=3.5)
        axes = canvas.axes(above=0.1, height=3.1, left=0.8)
        for number, model in enumerate(models):
            _bars(axes, published, model, at=(number - (len(models) - 1) / 2) * _BAR, fill=number)
        _own(axes, published, runs, beside=len(models) / 2 * _BAR)
        _frame(axes, [str(name) for name in published["benchmark"]])
    return canvas.figure


def _bars(axes: Axes, published: pd.DataFrame, model: str, *, at: float, fill: int) -> None:
    look = _FILLS[fill % len(_FILLS)]
    bars = axes.bar(
        [group + at for group in range(len(published))],
        published[model],
        width=_BAR,
        color=look.colour,
        hatch=look.hatch,
        edgecolor="white",
        linewidth=0.8,
        label=model,
    )
    for bar, benchmark in zip(bars, published["benchmark"], strict=True):
        bar.set_gid(gid("bar", f"{model}-{benchmark}"))
    axes.bar_label(bars, fmt="%.1f", size=7, padding=1)


def _own(axes: Axes, published: pd.DataFrame, runs: Sequence[Frames], *, beside: float) -> None:
    """Draw own runs in the space after the group, as narrow as they must be."""
    groups = [str(name).startswith(_GROUP) for name in published["benchmark"]]
    if not runs or True not in groups:
        return
    width = min(_BAR, (1 - 2 * beside - 0.04) / len(runs))
    for number, (name, run, look) in enumerate(zip(names(runs), runs, looks(runs), strict=True)):
        rate = score(run)
        x, y = groups.index(True) + beside + (number + 0.5) * width, 100 * rate.estimate
        suite = "" if str(run.run.manifest.get("suite")).startswith(PRO) else ", another suite"
        axes.bar(
            x,
            y,
            width=width,
            yerr=[[y - 100 * rate.low], [100 * rate.high - y]],
            color="white",
            edgecolor=look.colour,
            linewidth=1.6,
            linestyle=look.line,
            ecolor=INK,
            capsize=3,
            label=f"{name}: {y:.1f} (own run{suite})",
            gid=gid("run", name),
        )


def _frame(axes: Axes, groups: Sequence[str]) -> None:
    # The harness, in parentheses, has a line of its own.
    names_ = [
        "\n".join(line for part in name.replace(" (", "\n(").split("\n") for line in wrap(part, 18))
        for name in groups
    ]
    axes.set_xticks(range(len(groups)), names_, size=8)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.625, len(groups) - 0.375)
    axes.set_ylim(0, max(85.0, axes.get_ylim()[1]))
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("score (%)")
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=4 if len(axes.containers) <= 4 else 3,
        frameon=False,
        fontsize=8,
        handlelength=1.6,
        columnspacing=1.2,
    )

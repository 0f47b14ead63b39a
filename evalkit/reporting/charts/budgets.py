"""What a run would have resolved within a smaller budget of turns or tokens."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from evalkit.reporting.charts.own import captions, gid, looks, names
from evalkit.reporting.frames import Frames
from evalkit.reporting.style import MUTED, Canvas, house_style
from evalkit.stats import wilson

_HOW = (
    "Attempts count from the budget on in which they were resolved, of all that were planned; the "
    "band is the 95% Wilson interval. A model told of a smaller budget may work otherwise."
)


def resolved_by_turns(*runs: Frames) -> Figure | None:
    """Draw the share of attempts resolved within so many turns.

    None where nothing was resolved, or nobody took a turn.
    """
    return _budget(runs, column="turns", noun="turns", limit="turns")


def resolved_by_tokens(*runs: Frames) -> Figure | None:
    """Draw the share of attempts resolved within so many completion tokens.

    None where nothing was resolved, or no token was made.
    """
    return _budget(
        runs, column="completion_tokens", noun="completion tokens", limit="completion_tokens"
    )


def _budget(runs: Sequence[Frames], *, column: str, noun: str, limit: str) -> Figure | None:
    worked = [run for run in runs if run.attempts[column].astype(float).gt(0).any()]
    if not any(run.attempts["resolved"].any() for run in worked):
        return None
    most = max(float(run.attempts[column].max()) for run in worked)
    with house_style():
        title = f"Resolved within a budget of {noun}"
        canvas = Canvas(title, [_HOW, *captions(worked)], body=2.95)
        axes = canvas.axes(above=0, height=2.95, left=0.85)
        for name, run, look in zip(names(worked), worked, looks(worked), strict=True):
            x, share, low, high = _curve(run.attempts, column, most)
            axes.fill_between(x, low, high, step="post", color=look.colour, alpha=0.18, linewidth=0)
            axes.step(
                x,
                share,
                where="post",
                color=look.colour,
                linestyle=look.line,
                linewidth=1.8,
                label=name,
                gid=gid("curve", name),
            )
            _limit(axes, run, limit, most)
        _frame(axes, f"{noun} an attempt", most, several=len(worked) > 1)
    return canvas.figure


def _curve(attempts: pd.DataFrame, column: str, most: float) -> list[np.ndarray]:
    """Return where the curve steps, and there the share resolved and its interval."""
    spent = np.sort(attempts.loc[attempts["resolved"], column].to_numpy(dtype=float))
    steps = np.unique(np.concatenate([[0.0], spent, [most]]))
    rates = [wilson(int(count), len(attempts)) for count in np.searchsorted(spent, steps, "right")]
    return [steps, *np.array([(rate.estimate, rate.low, rate.high) for rate in rates]).T]


def _limit(axes: Axes, run: Frames, key: str, most: float) -> None:
    """Mark the limit that rollouts had, where the curve reaches as far."""
    runner = run.run.manifest.get("runner")
    limits = runner.get("limits") if isinstance(runner, dict) else None
    limit = limits.get(key) if isinstance(limits, dict) else None
    if isinstance(limit, int | float) and limit <= 1.05 * most:
        axes.axvline(limit, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))


def _frame(axes: Axes, label: str, most: float, *, several: bool) -> None:
    axes.set_xlim(0, most * 1.05)
    axes.set_ylim(0, min(1.02, axes.get_ylim()[1]))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.yaxis.set_major_formatter(
        PercentFormatter(1, decimals=0 if axes.get_ylim()[1] > 0.1 else 1)
    )
    axes.set_xlabel(label)
    axes.set_ylabel("resolved")
    if several:
        axes.legend(loc="upper left", frameon=False, fontsize=8)

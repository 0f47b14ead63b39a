"""Where an attempt's time went."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from evalkit.reporting.charts.own import captions, gid, names
from evalkit.reporting.frames import Frames
from evalkit.reporting.style import OUTCOME_FILLS, UNFINISHED_FILL, Canvas, house_style
from evalkit.types import Outcome

_PARTS = ("queue", "setup", "model", "tools", "rest", "grading")
_FILLS = dict(
    zip(
        _PARTS,
        (
            UNFINISHED_FILL,
            OUTCOME_FILLS[Outcome.NO_PATCH],
            OUTCOME_FILLS[Outcome.RESOLVED],
            OUTCOME_FILLS[Outcome.UNRESOLVED],
            OUTCOME_FILLS[Outcome.PATCH_REJECTED],
            OUTCOME_FILLS[Outcome.TEST_TIMEOUT],
        ),
        strict=True,
    )
)
_HOW = (
    "Means over finished attempts. Queue: the wait for a sandbox slot. Model: waiting for the engine's "
    "answers. Rest: what is left of the rollout, such as time without an engine. Grading: the tests."
)
_ROW = 0.42  # inches


def time_split(*runs: Frames) -> Figure | None:
    """Draw the mean seconds of an attempt by what they went into.

    Of one run, a bar for all attempts and one an outcome; of several, a bar a run. None where no
    attempt has finished.
    """
    finished = [run for run in runs if run.attempts["wall_s"].notna().any()]
    rows = _outcomes(finished[0]) if len(finished) == 1 else _runs(finished)
    if not finished or max(sum(means) for _, means in rows) <= 0:
        return None
    body = _ROW * len(rows)
    with house_style():
        canvas = Canvas(
            "Where an attempt's time went", [_HOW, *captions(finished)], body=body + 0.3
        )
        axes = canvas.axes(above=0, height=body, left=2.4)
        unit, seconds = _unit(max(sum(means) for _, means in rows))
        for number, (name, means) in enumerate(rows):
            _bar(axes, number, name, [mean / seconds for mean in means])
        axes.set_yticks(range(len(rows)), [name for name, _ in rows], size=8.5)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, 1.1 * max(sum(means) for _, means in rows) / seconds)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.set_xlabel(f"{unit} an attempt")
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=6,
            frameon=False,
            fontsize=8,
            columnspacing=1.0,
            handlelength=1.6,
        )
    return canvas.figure


def split(attempts: pd.DataFrame) -> pd.DataFrame:
    """Return each finished attempt's seconds by part; what they were spent on, in order."""
    done = attempts.dropna(subset=["wall_s"])
    seconds = {name: done[f"{name}_s"].astype(float) for name in ("queue", "setup", "grade")}
    model, tools = done["llm_s"].astype(float), done["tool_s"].astype(float)
    rest = (done["wall_s"].astype(float) - seconds["setup"] - model - tools).clip(lower=0)
    parts = (seconds["queue"], seconds["setup"], model, tools, rest, seconds["grade"])
    return pd.DataFrame(dict(zip(_PARTS, parts, strict=True)))


def _outcomes(run: Frames) -> list[tuple[str, list[float]]]:
    parts = split(run.attempts)
    outcome = run.attempts.loc[parts.index, "outcome"]
    rows = [(f"all ({len(parts):,})", list(parts.mean()))]
    present = [name for name in OUTCOME_FILLS if (outcome == name).any()]
    for name in present if len(present) > 1 else ():
        some = parts[outcome == name]
        rows.append((f"{name.replace('_', ' ')} ({len(some):,})", list(some.mean())))
    return rows


def _runs(runs: Sequence[Frames]) -> list[tuple[str, list[float]]]:
    return [
        (name, list(split(run.attempts).mean()))
        for name, run in zip(names(runs), runs, strict=True)
    ]


def _bar(axes: Axes, number: int, name: str, means: Sequence[float]) -> None:
    left = 0.0
    for part, mean in zip(_PARTS, means, strict=True):
        fill = _FILLS[part]
        axes.barh(
            number,
            mean,
            left=left,
            height=0.6,
            color=fill.colour,
            hatch=fill.hatch,
            edgecolor="white",
            linewidth=0,
            label=part if number == 0 else None,
            gid=gid(part, name),
        )
        left += mean
    axes.annotate(
        f"{left:.3g}",
        (left, number),
        textcoords="offset points",
        xytext=(4, 0),
        va="center",
        size=8,
    )


def _unit(seconds: float) -> tuple[str, float]:
    return ("seconds", 1.0) if seconds < 180 else ("minutes", 60.0)

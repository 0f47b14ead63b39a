"""The one look of evalkit's charts: legible in grey and to colour-blind readers.

Imports matplotlib; so import this module only where a chart is drawn.
"""

import textwrap
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple
from urllib.parse import urlsplit

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.reporting.host_paths import without_host_paths
from evalkit.reporting.run import Run
from evalkit.types import Outcome

INK = "#222222"
MUTED = "#666666"
BLUE = "#0072B2"
WIDTH = 8.0
"""Of a chart, in inches."""
DPI = 160


class Fill(NamedTuple):
    """A bar's colour and hatch; either alone tells outcomes apart."""

    colour: str
    hatch: str


# Okabe and Ito's palette (2008), which common colour blindness leaves distinct.
OUTCOME_FILLS: Mapping[Outcome, Fill] = {
    Outcome.RESOLVED: Fill(BLUE, ""),
    Outcome.UNRESOLVED: Fill("#E69F00", "//"),
    Outcome.NO_PATCH: Fill("#56B4E9", "\\\\"),
    Outcome.PATCH_REJECTED: Fill("#CC79A7", "xx"),
    Outcome.TEST_TIMEOUT: Fill("#009E73", ".."),
    Outcome.NO_EVIDENCE: Fill("#F0E442", "++"),
    Outcome.INFRA_ERROR: Fill("#D55E00", "||"),
}
UNFINISHED_FILL = Fill("#DDDDDD", "--")


class Look(NamedTuple):
    """How one of several series is drawn; marker and line alone tell them apart."""

    colour: str
    marker: str
    line: str


SERIES = (
    Look(BLUE, "o", "-"),
    Look("#D55E00", "s", "--"),
    Look("#009E73", "^", "-."),
    Look("#CC79A7", "D", ":"),
)
"""Of runs in one chart, in their order."""


def house_style() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws in this style."""
    return mpl.rc_context(
        {
            "font.family": "DejaVu Sans",  # ships with matplotlib: one look on every machine
            "font.size": 10,
            "text.color": INK,
            "text.parse_math": False,
            "axes.edgecolor": MUTED,
            "axes.labelcolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#E6E6E6",
            "grid.linewidth": 0.8,
            "xtick.color": MUTED,
            "ytick.color": MUTED,
            "xtick.labelcolor": INK,
            "ytick.labelcolor": INK,
            "hatch.linewidth": 0.8,
            "svg.hashsalt": "evalkit",  # the same run gives the same bytes
        }
    )


class Canvas:
    """A figure with a title above its body and a caption below; every measure is in inches."""

    _side, _head_pad, _foot_pad, _axis = 0.25, 0.3, 0.12, 0.55

    def __init__(self, title: str, caption: Sequence[str], *, body: float) -> None:
        headline = textwrap.wrap(title, 70)
        small = [
            part for line in caption for part in textwrap.wrap(line, 120, break_on_hyphens=False)
        ]
        head = self._head_pad + 0.24 * len(headline)
        self._foot = self._foot_pad + 0.15 * len(small) + self._axis
        self._height = head + body + self._foot
        self.figure = Figure(figsize=(WIDTH, self._height))
        self.figure.text(
            self._side / WIDTH,
            1 - 0.12 / self._height,
            "\n".join(headline),
            va="top",
            size=12.5,
            weight="bold",
        )
        self.figure.text(
            self._side / WIDTH,
            self._foot_pad / self._height,
            "\n".join(small),
            va="bottom",
            size=8,
            color=MUTED,
        )

    def axes(self, *, above: float, height: float, left: float) -> Axes:
        """Add axes whose lower edge lies `above` inches over the body's own lower edge."""
        bottom = (self._foot + above) / self._height
        width = (WIDTH - left - self._side) / WIDTH
        return self.figure.add_axes((left / WIDTH, bottom, width, height / self._height))


def caption(run: Run) -> str:
    """Say what was run: suite, revision, tasks, attempts, model and engine."""
    about = run.manifest
    facts = [
        f"suite {about.get('suite', 'unknown')}",
        f"revision {str(about.get('revision', 'unknown'))[:12]}",
        f"{plural(len(run.selected), 'task')}, {plural(run.attempts, 'attempt')} each",
        f"model {about.get('model', 'unknown')}",
    ]
    engine = about.get("engine")
    if isinstance(engine, dict):
        version = engine.get("version")
        host = urlsplit(str(engine.get("url"))).hostname  # without what it is asked with
        facts.append(f"engine vLLM {version}" if version else f"engine at {host}")
    facts += _limits(about.get("runner"))
    # A line breaks between facts, not within one.
    return "\u00a0· ".join(
        legible(without_host_paths(fact)).replace(" ", "\u00a0") for fact in facts
    )


def _limits(runner: object) -> list[str]:
    """Say when rollouts end on their own."""
    told = runner.get("limits") if isinstance(runner, dict) else None
    limits = told if isinstance(told, dict) else {}
    units = {"turns": "turns", "completion_tokens": "tokens", "seconds": "s"}
    words = [
        f"{value:,g} {unit}"
        for name, unit in units.items()
        if isinstance(value := limits.get(name), int | float)
    ]
    return [f"limits {', '.join(words)}"] if words else []


def legible(text: str) -> str:
    """Return what a font can show: a run's names may hold control characters and half characters."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def plural(count: int, noun: str) -> str:
    """Return the count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

"""The chart of tokens a second."""

from math import nan
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator, PercentFormatter, StrMethodFormatter

from evalkit.reporting.frames import Frames
from evalkit.reporting.style import BLUE, MUTED, Canvas, caption, house_style
from evalkit.reporting.summary import Summary, summarise
from evalkit.reporting.timeline import Means, Timeline, timeline

_SPEED, _SMALL, _BETWEEN = 2.4, 0.9, 0.25  # inches
_SOURCES = {
    "engine": "from the engine's own counters",
    "turns": "from the turns, each turn's tokens spread evenly over its request",
}


class _Panel(NamedTuple):
    label: str
    values: Means
    height: float = _SMALL
    colour: str = MUTED


def tokens_per_second(frames: Frames) -> Figure | None:
    """Draw output tokens a second over time, below it requests running and KV cache in use.

    Time without an engine is left blank; a dashed line stands where one was up again. The KV cache
    is drawn where the engine told of it. None where the run made no request.
    """
    run = frames.run
    line = timeline(run)
    if line is None:
        return None
    panels = _panels(line)
    summary = summarise(run)
    unit, unit_s = _time_unit(line)
    edges = [index * line.step_s / unit_s for index in range(len(line.running) + 1)]
    with house_style():
        above = sum(panel.height + _BETWEEN for panel in panels) - _BETWEEN
        canvas = Canvas(
            _title(summary), [caption(run), *_measures(summary), _source(line)], body=above
        )
        drawn = []
        for panel in panels:
            above -= panel.height
            axes = canvas.axes(above=above, height=panel.height, left=1.05)
            _steps(axes, panel.values, edges, colour=panel.colour)
            for restart in line.restarts:
                axes.axvline(restart / unit_s, color=MUTED, linewidth=0.8, linestyle="--")
            axes.set_ylabel(panel.label)
            axes.tick_params(labelbottom=False)
            above -= _BETWEEN
            drawn.append(axes)
        _finish(drawn, line, unit)
        canvas.figure.align_ylabels(drawn)
    return canvas.figure


def _panels(line: Timeline) -> list[_Panel]:
    speed = _Panel("output tokens\na second", line.tokens_per_second, _SPEED, BLUE)
    panels = [speed, _Panel("requests\nrunning", line.running)]
    return panels + ([_Panel("KV cache\nin use", line.kv_usage)] if line.kv_usage else [])


def _finish(drawn: list[Axes], line: Timeline, unit: str) -> None:
    """Give the small panels scales of their own, and the lowest the time."""
    drawn[1].yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    if line.kv_usage:
        drawn[2].set_ylim(0, 1.08)
        drawn[2].yaxis.set_major_locator(MultipleLocator(0.5))
        drawn[2].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    drawn[-1].tick_params(labelbottom=True)
    origin = "sample" if line.source == "engine" else "request"
    drawn[-1].set_xlabel(f"{unit} since the first {origin}")


def _steps(axes: Axes, values: Means, edges: list[float], *, colour: str) -> None:
    drawn = [nan if value is None else value for value in values]
    axes.stairs(drawn, edges, fill=True, color=colour, alpha=0.25, linewidth=0)
    axes.stairs(drawn, edges, color=colour, linewidth=1.4, baseline=None)
    axes.set_xlim(0, edges[-1])
    axes.set_ylim(0, max([1e-9, *(value for value in values if value)]) * 1.08)
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))


def _source(line: Timeline) -> str:
    told = f"Steps are means over {line.step_s:g} s, {_SOURCES[line.source]}."
    return told + (" Dashed: the engine was up again." if line.restarts else "")


def _time_unit(line: Timeline) -> tuple[str, float]:
    seconds = line.step_s * len(line.running)
    if seconds <= 180:
        return "seconds", 1
    return ("minutes", 60) if seconds <= 3 * 3600 else ("hours", 3600)


def _title(summary: Summary) -> str:
    busy, overall = summary.busy_tok_s, summary.output_tok_s
    if busy is None or overall is None:
        return "Output tokens a second"
    return f"{_speed(busy)} output tokens a second while busy, {_speed(overall)} over the whole run"


def _measures(summary: Summary) -> list[str]:
    busy, overall = summary.busy_tok_s, summary.output_tok_s
    if busy is None or overall is None:
        return []
    engine, gpu = summary.engine.engine_tok_s, summary.engine.engine_tok_s_gpu
    measures = [
        f"busy_tok_s {_speed(busy)}: over the time with a request in flight. "
        f"output_tok_s {_speed(overall)}: from first request to last token."
    ]
    if engine:
        each = f", {_speed(gpu)} for each GPU" if gpu else ""
        measures.append(f"engine_tok_s {_speed(engine)}: over the time an engine was up{each}.")
    return measures


def _speed(tokens: float) -> str:
    return f"{tokens:,.0f}" if tokens >= 100 else f"{tokens:.1f}"

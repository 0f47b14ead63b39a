"""The chart of tokens a second."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from evalkit.reporting.run import Run
from evalkit.reporting.style import BLUE, MUTED, Canvas, caption, house_style
from evalkit.reporting.summary import Summary, summarise
from evalkit.reporting.timeline import Timeline, timeline

_SPEED, _RUNNING, _BETWEEN = 2.4, 0.9, 0.25  # inches
_SOURCES = {
    "engine": "from the engine's own token counter",
    "turns": "from the turns, each turn's tokens spread evenly over its request",
}


def tokens_per_second(run: Run) -> Figure | None:
    """Draw output tokens a second over time, and below it how many requests were running.

    None where the run made no request.
    """
    line = timeline(run)
    if line is None:
        return None
    summary = summarise(run)
    source = f"Steps are means over {line.step_s:g} s, {_SOURCES[line.source]}."
    with house_style():
        body = _SPEED + _BETWEEN + _RUNNING
        canvas = Canvas(_title(summary), [caption(run), *_measures(summary), source], body=body)
        speed = canvas.axes(above=_RUNNING + _BETWEEN, height=_SPEED, left=1.05)
        running = canvas.axes(above=0, height=_RUNNING, left=1.05)
        unit, unit_s = _time_unit(line)
        edges = [index * line.step_s / unit_s for index in range(len(line.running) + 1)]
        _steps(speed, line.tokens_per_second, edges, colour=BLUE)
        _steps(running, line.running, edges, colour=MUTED)
        speed.set_ylabel("output tokens\na second")
        speed.tick_params(labelbottom=False)
        running.set_ylabel("requests\nrunning")
        running.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
        origin = "sample" if line.source == "engine" else "request"
        running.set_xlabel(f"{unit} since the first {origin}")
        canvas.figure.align_ylabels([speed, running])
    return canvas.figure


def _steps(axes: Axes, values: tuple[float, ...], edges: list[float], *, colour: str) -> None:
    axes.stairs(values, edges, fill=True, color=colour, alpha=0.25, linewidth=0)
    axes.stairs(values, edges, color=colour, linewidth=1.4, baseline=None)
    axes.set_xlim(0, edges[-1])
    axes.set_ylim(0, max(*values, 1e-9) * 1.08)
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))


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
    return [
        f"busy_tok_s {_speed(busy)}: over the time with a request in flight. "
        f"output_tok_s {_speed(overall)}: from first request to last token."
    ]


def _speed(tokens: float) -> str:
    return f"{tokens:,.0f}" if tokens >= 100 else f"{tokens:.1f}"

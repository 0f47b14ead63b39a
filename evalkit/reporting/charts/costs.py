"""The chart of what a resolved attempt cost."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from evalkit.reporting.charts.own import captions, gid, looks, names
from evalkit.reporting.cost import Cost, cost_of_resolved
from evalkit.reporting.frames import Frames
from evalkit.reporting.style import Canvas, Look, house_style, plural

_HOW = (
    "Price of a GPU hour (runner) x GPUs x hours an engine was up, by attempts resolved; bars: by the "
    "ends of the score's 95% Wilson interval. Boots, idle machines and graders are not in it."
)
_ROW = 0.55  # inches


def cost_of_a_resolved_task(*runs: Frames) -> Figure | None:
    """Draw what each run's resolved attempts cost; None where no run tells price, GPUs and hours."""
    costs = [(run, cost) for run in runs if (cost := cost_of_resolved(run.run))]
    if not costs:
        return None
    told = [run for run, _ in costs]
    body = _ROW * len(costs)
    with house_style():
        title = "Cost of a resolved task"
        canvas = Canvas(title, [_HOW, *captions(told)], body=body)
        axes = canvas.axes(above=0, height=body, left=2.4)
        most = max(cost.each_high or cost.each or 2 * cost.each_low for _, cost in costs)
        axes.set_xlim(0, most * 1.1)
        axes.set_ylim(len(costs) - 0.5, -0.5)
        rows = zip(names(told), costs, looks(told), strict=True)
        for row, (name, (_, cost), look) in enumerate(rows):
            _draw(axes, row, name, cost, look)
        axes.set_yticks(range(len(costs)), names(told), size=8.5)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.set_xlabel("cost of each, in the currency of the runner's price")
    return canvas.figure


def _draw(axes: Axes, row: int, name: str, cost: Cost, look: Look) -> None:
    high = axes.get_xlim()[1] if cost.each_high is None else cost.each_high
    axes.plot([cost.each_low, high], [row, row], color=look.colour, linewidth=1.6)
    each = f"at least {cost.each_low:,.2f}" if cost.each is None else f"{cost.each:,.2f}"
    words = (
        f"{each}: {cost.price_per_gpu_hour:g} x {plural(cost.gpus, 'GPU')} x "
        f"{cost.engine_hours:.3g} h = {cost.spent:,.2f}, {cost.resolved:,} resolved"
    )
    if cost.each is not None:
        axes.plot(cost.each, row, look.marker, color=look.colour, ms=8, gid=gid("cost", name))
    axes.annotate(
        words,
        (0.02, row),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        xytext=(0, 12),
        va="center",
        size=8,
    )

"""The figures as a table, with their targets, and as a chart."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.benchmarks.phases import Outcome
from tests.benchmarks.workload import token_chunks

OURS, MINI, BARE = "evalkit", "mini-swe-agent", "bare loop"
FLOOR_MS, ABOVE_MS, CHUNK_MS = 1.0, 2.0, 0.035
"""What a turn may cost our process: the bare loop's floor, ours above it, and a chunk's."""


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return the median, with least and greatest where there are several."""
    middle = f"{median(values):.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f}..{max(values):.{digits}f})"


def whole_rate(one: Outcome) -> float:
    """Turns a second with start and removal counted in; only evalkit takes a patch, shown apart."""
    return one.turns / (one.start_s + one.loop_s + one.end_s)


def loop_rate(one: Outcome) -> float:
    """Turns a second of the loop alone."""
    return one.turns / one.loop_s


def loop_cpu_ms(one: Outcome) -> float:
    """CPU milliseconds of the contender's process for a turn."""
    return 1000 * one.loop_cpu_s / one.turns


def show(outcomes: Sequence[Outcome], console: Console) -> None:
    """Print a row for each contender and number of workers, then what was aimed at."""
    table = Table("", "workers", "turns/s", "loop alone", "start s", "loop s", "patch s", "removal s",
                  "CPU ms/turn", "children CPU s", "peak MiB", "left")  # fmt: skip
    for group in _groups(outcomes):
        first = group[0]
        table.add_row(
            first.name,
            str(first.workers),
            spread([whole_rate(one) for one in group]),
            spread([loop_rate(one) for one in group]),
            *(
                spread([getattr(one, name) for one in group])
                for name in ("start_s", "loop_s", "patch_s", "end_s")
            ),
            spread([loop_cpu_ms(one) for one in group], 2),
            spread([one.children_cpu_s for one in group]),
            spread([one.peak_mib for one in group], 0),
            str(max(one.left for one in group)),
        )
    console.print(table)
    for line in targets(outcomes):
        console.print(line)


def targets(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line for each target, with what was seen."""
    lines = []
    for workers in sorted({one.workers for one in outcomes}):
        for other, factor in ((MINI, 8.0), (BARE, 0.8)):
            ours, theirs = (_of(outcomes, name, workers) for name in (OURS, other))
            if ours and theirs:
                whole, loop = (
                    median(map(rate, ours)) / median(map(rate, theirs))
                    for rate in (whole_rate, loop_rate)
                )
                lines.append(_line(f"turns/s at {workers} / {other}", whole, factor, at_least=True))
                lines.append(f"        the loop alone: {loop:.2f}")
        if ours := _of(outcomes, OURS, workers):
            allowed = FLOOR_MS + ABOVE_MS + CHUNK_MS * token_chunks()
            seen = median(map(loop_cpu_ms, ours))
            lines.append(_line(f"CPU ms/turn at {workers}", seen, allowed, at_least=False))
    counts = sorted({one.workers for one in outcomes if one.name == OURS})
    if len(counts) > 1:
        few, many = (_of(outcomes, OURS, count) for count in (counts[0], counts[-1]))
        grown = median(one.peak_mib for one in many) - median(one.peak_mib for one in few)
        seen = grown / (counts[-1] - counts[0])
        lines.append(_line("MiB per further rollout", seen, 2.0, at_least=False))
    return lines


def _line(name: str, seen: float, target: float, *, at_least: bool) -> str:
    met = seen >= target if at_least else seen <= target
    sign = "at least" if at_least else "at most"
    return f"{'met   ' if met else 'missed'}  {name}: {seen:.2f}, {sign} {target:.2f}"


def show_ready(seconds: dict[str, list[float]], console: Console) -> None:
    """Print how long until a sandbox is ready."""
    table = Table("ready after, in ms", "median (least..greatest)")
    for name, values in seconds.items():
        table.add_row(name, spread([1000 * one for one in values], 0))
    console.print(table)
    ratio = median(seconds["evalkit"]) / median(seconds["docker run"])
    console.print(_line("sandbox ready / docker run", ratio, 1.5, at_least=False))


def draw(outcomes: Sequence[Outcome], path: Path) -> None:
    """Draw turns a second by workers, all counted in, and the loop alone in a lighter shade."""
    from matplotlib.figure import Figure

    counts = sorted({one.workers for one in outcomes})
    figure = Figure(figsize=(4 * len(counts), 4), layout="constrained")
    axes = figure.subplots(1, len(counts), sharey=True, squeeze=False)[0]
    for ax, workers in zip(axes, counts, strict=True):
        names = [name for name in (MINI, OURS, BARE) if _of(outcomes, name, workers)]
        for label, rate, alpha in (
            ("loop alone", loop_rate, 0.35),
            ("all counted", whole_rate, 1.0),
        ):
            values = [median(map(rate, _of(outcomes, name, workers))) for name in names]
            bars = ax.bar(names, values, alpha=alpha, color="tab:blue", label=label)
            ax.bar_label(bars, fmt="%.0f")
        ax.set_title(f"{workers} workers")
    axes[0].set_ylabel("turns a second")
    axes[0].legend()
    figure.savefig(path)


def _groups(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    keys = dict.fromkeys((one.workers, one.name) for one in outcomes)
    return [_of(outcomes, name, workers) for workers, name in sorted(keys)]


def _of(outcomes: Sequence[Outcome], name: str, workers: int) -> list[Outcome]:
    return [one for one in outcomes if (one.name, one.workers) == (name, workers)]

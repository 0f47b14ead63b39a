"""A run's charts as PNG and SVG files."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from evalkit.errors import StoreError
from evalkit.reporting import published as sets
from evalkit.reporting.charts.bars import benchmarks
from evalkit.reporting.charts.budgets import resolved_by_tokens, resolved_by_turns
from evalkit.reporting.charts.concurrency import tokens_by_concurrency
from evalkit.reporting.charts.costs import cost_of_a_resolved_task
from evalkit.reporting.charts.counts import outcomes
from evalkit.reporting.charts.groups import outcomes_by
from evalkit.reporting.charts.own import PRO
from evalkit.reporting.charts.sets import published_sets
from evalkit.reporting.charts.sizes import score_against_size
from evalkit.reporting.charts.speed import tokens_per_second
from evalkit.reporting.charts.times import time_split
from evalkit.reporting.charts.turns import score_against_turns
from evalkit.reporting.frames import Frames
from evalkit.reporting.run import Run
from evalkit.reporting.style import DPI, house_style


def write_charts(run: Run, folder: Path) -> list[Path]:
    """Write the charts that the run has data for, as PNG and SVG; return their paths.

    The same run gives the same bytes. Runs of SWE-bench Pro get the published figures too, with
    themselves in them. Raises StoreError where the folder cannot be written.
    """
    written = []
    for name, figure in _charts(Frames(run)):
        if figure is not None:
            written += save(figure, folder / name)
    return written


def save(figure: Figure, path: Path | str) -> list[Path]:
    """Write a figure as `path`.png and `path`.svg, the latter without a date.

    Raises StoreError where that cannot be written.
    """
    png, svg = Path(f"{path}.png"), Path(f"{path}.svg")
    try:
        png.parent.mkdir(parents=True, exist_ok=True)
        with house_style():
            figure.savefig(png, dpi=DPI)
            figure.savefig(svg, metadata={"Date": None})
    except OSError as error:
        raise StoreError(f"cannot write charts to {png.parent}: {error.strerror}") from error
    return [png, svg]


def _charts(run: Frames) -> Iterator[tuple[str, Figure | None]]:
    yield "outcomes", outcomes(run)
    yield "tokens_per_second", tokens_per_second(run)
    yield "outcomes_by_repository", outcomes_by(run, "repo")
    yield "outcomes_by_language", outcomes_by(run, "language")
    yield "resolved_by_turns", resolved_by_turns(run)
    yield "resolved_by_tokens", resolved_by_tokens(run)
    yield "tokens_by_concurrency", tokens_by_concurrency(run)
    yield "time_split", time_split(run)
    yield "cost_of_a_resolved_task", cost_of_a_resolved_task(run)
    if str(run.run.manifest.get("suite", "")).startswith(PRO):
        yield "score_against_size", score_against_size(sets.published(sets.SIZES), [run])
        yield "score_against_turns", score_against_turns(sets.published(sets.TURNS), [run])
        yield "benchmarks", benchmarks(sets.published(sets.BENCHMARKS), [run])
        yield "published_sets", published_sets(sets.pro_scores(), [run])

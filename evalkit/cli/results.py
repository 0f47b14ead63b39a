"""What a run came to: a table on stdout, charts in its folder."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evalkit.cli.engine_rows import agreement_rows, speed_rows
from evalkit.cli.live import STYLES
from evalkit.cli.wiring import say
from evalkit.reporting.load import load_run
from evalkit.reporting.run import Run
from evalkit.reporting.scores import scores
from evalkit.reporting.summary import Summary, summarise

_ID_WIDTH = 37
"""Up to the eighth digit of the commit in the longest ids of SWE-bench Pro."""
_MOST_ROWS = 1000
"""More of them nobody reads, and drawing ten thousand takes 20 s."""


def show_results(folder: Path) -> None:
    """Print the attempts and the summary of a run folder; write its charts."""
    from evalkit.reporting.charts import write_charts

    run = load_run(folder)
    console = Console(highlight=False)
    console.print(_attempts(run))
    console.print(_summary(run, summarise(run)))
    charts = write_charts(run, folder / "report")
    say(f"charts: {len(charts)} files in {folder / 'report'}")
    say(f"run folder: {folder}")


def _attempts(run: Run) -> Table:
    several = any(result.attempt > 1 for result in run.results)
    worked = any(result.turns for result in run.results)
    flagged = any(result.flags for result in run.results)
    table = Table(title=Text(f"{run.manifest['suite']}: {run.manifest['model']}"))
    # The one column that may wrap, and so the first to give way; an id, one word, is cut instead.
    table.add_column("task", overflow="ellipsis", max_width=_ID_WIDTH)
    table.add_column("outcome", no_wrap=True)
    table.add_column("stop" if worked else "why", no_wrap=True, overflow="ellipsis")
    if flagged:
        table.add_column("flags", overflow="fold")
    for heading in ("turns", "tokens", "s") if worked else ("s",):
        table.add_column(heading, justify="right", no_wrap=True)
    shown = run.results[:_MOST_ROWS]
    if len(shown) < len(run.results):
        table.caption = f"and {len(run.results) - len(shown):,} more in results.jsonl"
    for result in shown:
        seconds = f"{result.wall_s + result.grade_s:.0f}"
        table.add_row(
            result.task_id.removeprefix("instance_")
            + (f"\N{NO-BREAK SPACE}#{result.attempt}" if several else ""),
            f"[{STYLES[result.outcome]}]{result.outcome}[/]",
            result.stop if worked else Text(result.reason),
            *([", ".join(result.flags)] if flagged else []),
            *([str(result.turns), f"{result.completion_tokens:,}"] if worked else []),
            seconds,
        )
    return table


def _summary(run: Run, summary: Summary) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    whole = run.manifest.get("suite_tasks")
    if whole not in {None, summary.tasks}:
        selected = f"{summary.tasks} of the suite's {whole} tasks"
        excluded = run.manifest.get("excluded")
        if isinstance(excluded, list) and excluded:
            selected += f", {len(excluded)} excluded by name"
        table.add_row("selected", selected)
    score, *others = scores(summary)
    table.add_row(*score)
    counts = [f"{count} {outcome}" for outcome, count in summary.outcomes.items() if count]
    table.add_row("outcomes", ", ".join(counts))
    if summary.unfinished:
        table.add_row("unfinished", f"{summary.unfinished} of {summary.score.of} attempts")
    if run.earlier:
        words = f"attempts made under them, not counted: {run.earlier}"
        table.add_row("earlier conditions", words)
    if summary.flags:
        flags = [f"{count} {flag}" for flag, count in summary.flags.items()]
        table.add_row("attempts by flag", ", ".join(flags))
    for other in others:
        table.add_row(*other)
    if summary.turns_median is not None:
        table.add_row("turns", f"{summary.turns_median:g} (median)")
    _add_tokens(table, summary)
    return table


def _add_tokens(table: Table, summary: Summary) -> None:
    usage = summary.usage
    fresh = usage.prompt_tokens - usage.cached_tokens
    if summary.output_tok_s is not None and summary.busy_tok_s is not None:
        table.add_row(
            "tokens",
            f"{usage.completion_tokens:,} out, {fresh:,} in, {usage.cached_tokens:,} cached",
        )
        table.add_row(
            "output_tok_s", f"{summary.output_tok_s:.1f} from first request to last token"
        )
        table.add_row("busy_tok_s", f"{summary.busy_tok_s:.1f} while a request was in flight")
    for row in speed_rows(summary.engine) + agreement_rows(summary.agreements):
        table.add_row(*row)

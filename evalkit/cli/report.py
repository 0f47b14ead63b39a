"""`evalkit report`: a folder that a browser opens."""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from evalkit.cli.wiring import progress as console
from evalkit.errors import ConfigError


def report_command(paths: Sequence[Path], output: Path | None) -> None:
    """Write the report, and print the path of its first page."""
    from evalkit.reporting.html.report import write_report

    if output is None and len(paths) > 1:
        raise ConfigError(
            f"a report of {len(paths)} runs belongs to none of them",
            hint="say with -o where to write it",
        )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        tasks = {}

        def told(name: str, done: int, of: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=of)
            bar.update(tasks[name], completed=done)

        index = write_report(paths, output or paths[0] / "report", told)
    typer.echo(str(index))

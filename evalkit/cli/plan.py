"""`evalkit plan`: what a run would take, before anything starts."""

import re
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evalkit.cli.estimate import Line, Planned, Speed, plan_lines
from evalkit.cli.plan_memory import memory_lines
from evalkit.cli.select import Selection, select
from evalkit.cli.wiring import choose_runner, choose_suite, docker, say
from evalkit.errors import ConfigError, SandboxError
from evalkit.reporting.load import load_run
from evalkit.reporting.summary import summarise
from evalkit.sandbox.images import Images
from evalkit.types import Record, Task


class PlanRequest(Record):
    """The flags of `evalkit plan`."""

    suite: str
    runner: str | None
    gpus: str | None
    tok_s: float | None
    measured: Path | None
    attempts: int
    selection: Selection
    overrides: tuple[str, ...]


def plan_command(request: PlanRequest) -> None:
    """Print the plan of a run."""
    gpus = read_gpus(request.gpus) if request.gpus else None
    speed = read_speed(request.tok_s, request.measured)
    suite = choose_suite(request.suite, request.overrides)
    runner = choose_runner(suite, request.runner, request.overrides)
    tasks = tuple(select(suite.tasks(), request.selection))
    planned = Planned(
        suite=tasks[0].suite,  # of a part the whole, which is what is published about
        tasks=tasks,
        attempts=request.attempts,
        runner=runner,
        gpus=gpus,
        speed=speed,
        here=_images_here(tasks),
    )
    _show([*plan_lines(planned), *memory_lines(planned)])


def read_gpus(text: str) -> tuple[int, float]:
    """Read `8x80`: how many, and GiB of each. Raises ConfigError."""
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4}(?:\.\d+)?)", text)
    if match is None:
        raise ConfigError(f"--gpus wants how many and GiB of each, as 8x80, not {text!r}")
    return int(match[1]), float(match[2])


def read_speed(tok_s: float | None, run: Path | None) -> Speed | None:
    """Return the speed that the user says, or that a run of his had from first to last token.

    Raises ConfigError where both are given or the run made no request, StoreError where the run
    folder cannot be read.
    """
    if run is None:
        return None if tok_s is None else Speed(tok_s, "assumed: --tok-s")
    if tok_s is not None:
        raise ConfigError("give --tok-s or --measured, not both")
    found = load_run(run)
    measured = summarise(found).output_tok_s
    if measured is None:
        raise ConfigError(f"{run} has no request to measure a speed by")
    what = f"{found.manifest.get('model')} on {found.manifest.get('suite')}"
    source = f"output_tok_s of {run}: {what}, {len(found.requests):,} requests"
    return Speed(measured, "measured", source)


def _images_here(tasks: tuple[Task, ...]) -> int | None:
    try:
        images = Images(docker())
        return sum(images.digest(image) is not None for image in {task.image for task in tasks})
    except SandboxError as error:
        say(error.message)
        return None


def _show(lines: list[Line]) -> None:
    sources = list(dict.fromkeys(line.source for line in lines if line.source))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_column(style="dim")
    for line in lines:
        note = f" ({sources.index(line.source) + 1})" if line.source else ""
        table.add_row(line.what, line.figure, line.basis + note)
    console = Console(highlight=False, markup=False)
    console.print(table)
    for number, source in enumerate(sources, 1):
        console.print(f"({number}) {source}", soft_wrap=True)

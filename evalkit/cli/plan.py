"""`evalkit plan`: what a run would take, before anything starts."""

import re

from rich.console import Console
from rich.table import Table

from evalkit.cli.estimate import Line, Planned, plan_lines
from evalkit.cli.select import Selection, select
from evalkit.cli.wiring import choose_runner, choose_suite, docker, say
from evalkit.errors import ConfigError, SandboxError
from evalkit.sandbox.images import Images
from evalkit.types import Record, Task


class PlanRequest(Record):
    """The flags of `evalkit plan`."""

    suite: str
    runner: str | None
    gpus: str | None
    tok_s: float | None
    attempts: int
    selection: Selection
    overrides: tuple[str, ...]


def plan_command(request: PlanRequest) -> None:
    """Print the plan of a run."""
    gpus = read_gpus(request.gpus) if request.gpus else None
    suite = choose_suite(request.suite, request.overrides)
    runner = choose_runner(suite, request.runner, request.overrides)
    tasks = tuple(select(suite.tasks(), request.selection))
    planned = Planned(
        suite=suite.name,
        tasks=tasks,
        attempts=request.attempts,
        runner=runner,
        gpus=gpus,
        tok_s=request.tok_s,
        here=_images_here(tasks),
    )
    _show(plan_lines(planned))


def read_gpus(text: str) -> tuple[int, float]:
    """Read `8x80`: how many, and GiB of each. Raises ConfigError."""
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4}(?:\.\d+)?)", text)
    if match is None:
        raise ConfigError(f"--gpus wants how many and GiB of each, as 8x80, not {text!r}")
    return int(match[1]), float(match[2])


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

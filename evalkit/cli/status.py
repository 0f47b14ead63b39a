"""`evalkit status`: how a run goes, told by its folder."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from evalkit.cli.live import clock
from evalkit.reporting.status import State, Status, read_status

_STATES = {State.RUNNING: "bold green", State.COMPLETE: "green", State.STOPPED: "bold yellow"}
_ROWS = 20

Row = tuple[str, str | Text]


def status_command(folder: Path, form: Literal["table", "json"]) -> int:
    """Print the status, and return the exit code: 3 where the run stopped incomplete."""
    status = read_status(folder)
    if form == "json":
        typer.echo(json.dumps(status.model_dump(mode="json"), indent=2))
    else:
        show_status(status, Console(highlight=False, markup=False, emoji=False))
    return 3 if status.state is State.STOPPED else 0


def show_status(status: Status, console: Console) -> None:
    """Print it for a human; the command that goes on, where there is need of one, comes last."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in _rows(status):
        table.add_row(*row)
    console.print(table)
    if status.under_way:
        console.print(_under_way(status))
    if len(status.under_way) > _ROWS:
        console.print(f"… and {len(status.under_way) - _ROWS} more")
    if status.state is State.STOPPED and status.command:
        console.print(f"Go on with\n  {status.command}", soft_wrap=True)


def _rows(status: Status) -> Iterator[Row]:
    yield "run", ": ".join(filter(None, (status.suite, status.model)))
    yield "state", _state(status)
    yield "finished", f"{status.finished} of {status.planned}, {_share(status)}"
    counts = _listed({str(outcome): count for outcome, count in status.outcomes.items()})
    if counts:
        yield "outcomes", counts
    if status.per_hour is not None:
        left = f", about {clock(status.left_s)} left" if status.left_s else ""
        session = "this" if status.state is State.RUNNING else "the last"
        yield "speed", f"{status.per_hour:,.1f} an hour in {session} session{left}"
    if status.under_way:
        doing = _listed(Counter(str(one.doing) for one in status.under_way))
        yield "under way", f"{len(status.under_way)}: {doing}"
    if status.to_grade:
        yield "to grade", f"{status.to_grade}, their rollouts are at their end"
    if status.interrupted:
        yield "interrupted", f"{status.interrupted}, to be made anew"
    if status.not_begun:
        yield "not begun", f"{status.not_begun}"
    yield from _around(status)


def _around(status: Status) -> Iterator[Row]:
    """Yield what stands around the attempts."""
    running = status.state is State.RUNNING
    for one in status.paused:
        when = f"for {clock(status.looked - one.since)}" if running else "when it ended"
        yield "paused", Text(f"{one.what}, {when}: {one.why}", style="bold yellow")
    look = status.engine
    if running and look is not None:
        yield (
            "engine",
            f"start {look.incarnation}, {clock(status.looked - look.t)} ago: {look.running} running, "
            f"{look.waiting} waiting, KV cache {look.kv_usage:.0%}",
        )
    if status.earlier:
        yield "earlier", f"{status.earlier} attempts under other conditions, not counted"


def _state(status: Status) -> Text:
    text = Text(status.state, style=_STATES[status.state])
    if status.session_s is not None:
        text.append(
            f", session {status.sessions}, {clock(status.session_s)} long", style="not bold"
        )
    return text


def _share(status: Status) -> str:
    """Return the share that is finished, never 100 % before all is."""
    return f"{status.finished * 100 // status.planned}%"


def _listed(counts: Counter[str] | dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def _under_way(status: Status) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    # The one column that may wrap gives way first; an id, one word, is cut instead.
    table.add_column(overflow="ellipsis")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    for one in status.under_way[:_ROWS]:
        name = one.task_id.removeprefix("instance_")
        table.add_row(name, f"#{one.attempt}", one.doing, clock(one.seconds))
    return table

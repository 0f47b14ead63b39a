"""How a run goes, while it goes: a table on a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evalkit.cli.wiring import on_terminal, progress
from evalkit.types import Finished, Outcome

STYLES = {
    Outcome.RESOLVED: "bold green",
    Outcome.UNRESOLVED: "yellow",
    Outcome.NO_PATCH: "yellow",
    Outcome.PATCH_REJECTED: "yellow",
    Outcome.TEST_TIMEOUT: "yellow",
    Outcome.NO_EVIDENCE: "magenta",
    Outcome.INFRA_ERROR: "bold red",
}
_ROWS = 20
_BESIDE = 5
"""Lines that the table leaves to what stands around it."""

Paused = Callable[[], Mapping[str, str]]
"""Says what no rollout starts without, just now, and why."""


def watcher(total: int, done: int, paused: Paused) -> "LiveWatcher | PlainWatcher":
    """Watch a run of which `done` of `total` attempts were finished before."""
    if on_terminal():
        return LiveWatcher(progress, total, done, paused)
    return PlainWatcher(progress, total, done)


class PlainWatcher:
    """One line for each thing that happens, for logs and pipes."""

    def __init__(self, console: Console, total: int, done: int = 0) -> None:
        self._console = console
        self._total = total
        self._done = done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing was drawn, nothing is to be undone."""

    def changed(self, task_id: str, attempt: int, state: str) -> None:
        """Say that an attempt started; turns would fill the log."""
        if state == "rollout":
            self._line(f"{task_id} #{attempt}: started")

    def finished(self, finished: Finished) -> None:
        """Say how an attempt ended."""
        self._done += 1
        result = finished.result
        self._line(
            f"[{self._done}/{self._total}] {result.task_id} #{result.attempt}: {result.outcome}, "
            f"{result.turns} turns, {result.wall_s:.0f} s"
        )

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


class LiveWatcher:
    """A table of the attempts under way, with counts of those done."""

    def __init__(self, console: Console, total: int, done: int = 0, paused: Paused = dict) -> None:
        self._total, self._before, self._paused = total, done, paused
        self._begun = time.monotonic()
        self._running: dict[tuple[str, int], tuple[str, float]] = {}
        self._outcomes: Counter[Outcome] = Counter()
        self._live = Live(
            get_renderable=self._draw, console=console, refresh_per_second=4, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def changed(self, task_id: str, attempt: int, state: str) -> None:
        """Show the attempt's new state."""
        since = self._running.get((task_id, attempt), ("", time.monotonic()))[1]
        self._running[task_id, attempt] = (state, since)

    def finished(self, finished: Finished) -> None:
        """Count the outcome and print the attempt's line above the table."""
        result = finished.result
        self._running.pop((result.task_id, result.attempt), None)
        self._outcomes[result.outcome] += 1
        line = Text.assemble(
            (f"{result.outcome:15}", STYLES[result.outcome]),
            f"{result.task_id} #{result.attempt}  {result.turns} turns, {result.wall_s:.0f} s",
        )
        self._live.console.print(line)

    def _draw(self) -> RenderableType:
        done = self._outcomes.total()
        elapsed = time.monotonic() - self._begun
        counts = "  ".join(f"{count} {outcome}" for outcome, count in self._outcomes.items())
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        room = max(1, min(_ROWS, self._live.console.height - _BESIDE))
        shown = list(self._running.items())[:room]
        for (task_id, attempt), (state, since) in shown:
            table.add_row(f"{task_id} #{attempt}", state, f"{time.monotonic() - since:.0f} s")
        if len(self._running) > room:
            table.add_row(f"… and {len(self._running) - room} more")
        for what, why in self._paused().items():
            table.add_row(Text(f"paused: {what}: {why}", style="bold yellow"))
        now = self._before + done
        left = (self._total - now) * elapsed / done if done else None
        clock = f"{_clock(elapsed)}, about {_clock(left)} left" if left else _clock(elapsed)
        status = Text(f"{now}/{self._total}  {clock}  {counts}")
        return Group(table, ProgressBar(total=self._total, completed=now, width=40), status)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

"""How a run goes, while it goes: a table on a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from textwrap import shorten
from threading import Lock
from types import TracebackType
from typing import IO, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

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
_BESIDE = 2
"""Lines left free: for how many more there are, and for the cursor."""
_REASON = 160
"""Characters that are told of why something is paused; all of it stands in events.jsonl."""

Paused = Callable[[], Mapping[str, str]]
"""Says what no rollout starts without, just now, and why."""


def watcher(total: int, done: int, paused: Paused) -> "LiveWatcher | PlainWatcher":
    """Watch a run of which `done` of `total` attempts were finished before."""
    from evalkit.cli.wiring import on_terminal, progress

    if on_terminal():
        return LiveWatcher(progress, total, done, paused)
    return PlainWatcher(progress.file, total, done)


class PlainWatcher:
    """One line for each thing that happens, for logs and pipes."""

    def __init__(self, file: IO[str], total: int, done: int = 0) -> None:
        self._file = file
        self._total = total
        self._done = done
        self._lock = Lock()

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
            with self._lock:
                self._line(f"{task_id} #{attempt}: started")

    def finished(self, finished: Finished) -> None:
        """Say how an attempt ended."""
        result = finished.result
        with self._lock:
            self._done += 1
            self._line(
                f"[{self._done}/{self._total}] {result.task_id} #{result.attempt}: "
                f"{result.outcome}, {result.turns} turns, {result.wall_s:.0f} s"
            )

    def _line(self, text: str) -> None:
        self._file.write(text + "\n")
        self._file.flush()


class LiveWatcher:
    """A table of the attempts under way, with counts of those done."""

    def __init__(self, console: Console, total: int, done: int = 0, paused: Paused = dict) -> None:
        self._console = console
        self._total, self._before, self._paused = total, done, paused
        self._begun = time.monotonic()
        self._lock = Lock()
        """The table is drawn by a thread of its own."""
        self._running: dict[tuple[str, int], tuple[str, float]] = {}
        self._outcomes: Counter[Outcome] = Counter()
        self._live = Live(
            get_renderable=self.__rich__, console=console, refresh_per_second=4, transient=True
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
        with self._lock:
            since = self._running.get((task_id, attempt), ("", time.monotonic()))[1]
            self._running[task_id, attempt] = (state, since)

    def finished(self, finished: Finished) -> None:
        """Count the outcome and print the attempt's line above the table."""
        result = finished.result
        with self._lock:
            self._running.pop((result.task_id, result.attempt), None)
            self._outcomes[result.outcome] += 1
        line = Text.assemble(
            (f"{result.outcome:15}", STYLES[result.outcome]),
            f"{result.task_id} #{result.attempt}  {result.turns} turns, {result.wall_s:.0f} s",
        )
        self._console.print(line)

    def __rich__(self) -> RenderableType:
        """Draw how it stands: never higher than the terminal, whose lowest lines are cut else."""
        with self._lock:
            running, outcomes = list(self._running.items()), self._outcomes.copy()
        bar = ProgressBar(total=self._total, completed=self._before + outcomes.total(), width=40)
        paused = [
            Text(shorten(f"paused: {what}: {why}", _REASON, placeholder="…"), style="bold yellow")
            for what, why in self._paused().items()
        ]
        below: list[RenderableType] = [
            Padding(bar, 0),  # which makes it a line of its own
            self._summary(outcomes),
            *paused,
        ]
        taken = len(self._console.render_lines(Group(*below)))
        room = max(1, min(_ROWS, self._console.height - taken - _BESIDE))
        if len(running) > room:
            below.insert(0, Text(f"… and {len(running) - room} more"))
        return Group(_table(running[:room]), *below)

    def _summary(self, outcomes: Counter[Outcome]) -> Text:
        done = outcomes.total()
        now = self._before + done
        elapsed = time.monotonic() - self._begun
        left = (self._total - now) * elapsed / done if done else 0.0
        parts = [f"{now}/{self._total}", clock(elapsed)]
        if left:
            parts[-1] += f", about {clock(left)} left"
        if self._before:
            parts.append(f"{self._before} before")
        parts += [f"{outcomes[outcome]} {outcome}" for outcome in Outcome if outcomes[outcome]]
        return Text("  ".join(parts))


def _table(running: Iterable[tuple[tuple[str, int], tuple[str, float]]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    # The one column that may wrap gives way first; an id, one word, is cut instead.
    table.add_column(overflow="ellipsis")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    for (task_id, attempt), (state, since) in running:
        name = task_id.removeprefix("instance_")
        table.add_row(name, f"#{attempt}", state, clock(time.monotonic() - since))
    return table


def clock(seconds: float) -> str:
    """Return a span of time as M:SS or H:MM:SS."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

"""How far an engine's start is: a bar on a terminal, a line a phase elsewhere."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from evalkit.serving.phases import Tell


def starting(console: Console, *, on_terminal: bool) -> Tell:
    """Return what shows the phases of a start; the last one is `ready`."""
    return _Bar(console) if on_terminal else _Lines(console)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console, self._last = console, ""

    def __call__(self, phase: str, share: float | None) -> None:  # noqa: ARG002 - for a bar
        if phase not in {self._last, "ready"}:
            self._console.print(f"engine: {phase}", markup=False, soft_wrap=True)
        self._last = phase


class _Bar:
    """A new bar for each start, gone once it is ready."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None

    def __call__(self, phase: str, share: float | None) -> None:
        if phase == "ready":
            if self._progress:
                self._progress.stop()
            self._progress = None
            return
        if self._progress is None:
            self._progress = Progress(
                TextColumn("engine: {task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._progress.add_task(phase, total=None)
            self._progress.start()
        self._progress.update(
            self._task,
            description=phase,
            total=None if share is None else 1.0,
            completed=share or 0.0,
        )

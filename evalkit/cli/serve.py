"""`evalkit serve`: only the engine, watched and restarted as in a run."""

import time
from pathlib import Path

import typer

from evalkit.cli.listing import in_words
from evalkit.cli.served import served_model
from evalkit.cli.signals import Stopper, stoppable
from evalkit.config.runner import load_runner
from evalkit.serving.admission import Gate
from evalkit.store import RunFolder


def serve_command(
    runner_name: str, output: Path | None, overrides: list[str], *, dry_run: bool
) -> int:
    """Serve until a signal comes; return the exit code."""
    runner = load_runner(runner_name, overrides)
    path = output or Path("runs") / f"serve-{time.strftime('%Y%m%d-%H%M%S')}"
    if dry_run:
        typer.echo(f"model     {in_words(runner)}")
        typer.echo(f"folder    {path}")
        return 0

    def work(stopper: Stopper) -> int:
        with RunFolder(path) as folder:
            gate = Gate(runner.concurrency.rollouts, stopper.stopping, folder.event)
            with served_model(runner, folder, gate) as served:
                typer.echo(f"{served.url} serves {served.name}; Ctrl-C stops it")
                while True:
                    time.sleep(1)
                    with gate.slot():  # raises where the engine is gone for good
                        pass

    return stoppable(work, lambda: f"stopped; the engine's log is in {path}")

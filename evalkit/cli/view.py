"""`evalkit view`: a run in the browser, also while it goes on."""

from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from evalkit.cli.signals import Stopper, stoppable
from evalkit.cli.wiring import say


def view_command(folder: Path, port: int) -> int:
    """Serve until a signal comes; the address goes to stdout. Return the exit code."""
    from evalkit.reporting.html.serve import Server
    from evalkit.reporting.html.site import Site

    def work(_stopper: Stopper) -> int:
        with (
            TemporaryDirectory(prefix="evalkit-view-") as made,
            Server(Site(folder, Path(made)), port) as server,
        ):
            typer.echo(server.url)
            say("Ctrl-C ends it")
            server.serve_forever()
        return 0

    return stoppable(work, lambda: "")

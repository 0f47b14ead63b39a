"""`evalkit clean`."""

import typer

from evalkit.cli.wiring import docker
from evalkit.sandbox.reap import reap


def clean_command() -> None:
    """Remove what dead runs left, and say what it was."""
    removed = reap(docker())
    for name in removed:
        typer.echo(f"removed container {name}")
    typer.echo(f"{len(removed)} containers of dead runs removed")

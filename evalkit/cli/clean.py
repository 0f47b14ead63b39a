"""`evalkit clean`."""

import typer

from evalkit.cli.wiring import docker, say
from evalkit.sandbox.layers import reap_layers
from evalkit.sandbox.reap import reap


def clean_command() -> None:
    """Remove what dead runs left, and say what it was."""
    containers = reap(docker(), say)
    layers = reap_layers(docker())
    for kind, removed in (("container", containers), ("layer", layers)):
        for name in removed:
            typer.echo(f"removed {kind} {name}")
    typer.echo(f"{len(containers)} containers and {len(layers)} layers of dead runs removed")

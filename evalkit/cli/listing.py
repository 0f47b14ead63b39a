"""`evalkit suites`, `evalkit runners`, `evalkit agents`."""

import typer

from evalkit.agents.registry import Unusable, installed_agents, missing
from evalkit.config.content import content_names, content_root
from evalkit.config.runner import Runner, load_runner
from evalkit.config.yaml_files import read_yaml


def list_suites() -> None:
    """Print each suite with its number of tasks and what it is."""
    for name in content_names("tasks"):
        suite = read_yaml(content_root() / "tasks" / name / "suite.yaml")
        typer.echo(
            f"{name:20} {suite.get('size') or len(suite['tasks']):4} tasks  {suite['description']}"
        )


def list_runners() -> None:
    """Print each runner with its model and how it is served."""
    for name in content_names("runners"):
        typer.echo(f"{name:20} {in_words(load_runner(name, []))}")


def in_words(runner: Runner) -> str:
    """Say which model it is and how it is served."""
    engine = runner.engine
    where = engine.url if engine.kind == "endpoint" else f"TP {engine.tensor_parallel_size}"
    context = f"{engine.max_model_len:,} tokens of context"
    return f"{runner.label}, {engine.kind}, {where}, {context}"


def list_agents() -> None:
    """Print each agent and what it does, or what is in its way."""
    for name, found in installed_agents().items():
        if isinstance(found, Unusable):
            typer.echo(f"{name:20} cannot be used: {found.why}")
            continue
        spelt = f"{name}:{found.argument}" if found.argument else name
        lacking = "".join(f" (missing: {command})" for command in missing(found))
        typer.echo(f"{spelt:20} {found.what}{lacking}")

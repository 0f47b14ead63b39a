"""`evalkit suites`, `evalkit runners`, `evalkit agents`."""

import typer

from evalkit.config.content import content_names, content_root
from evalkit.config.runner import load_runner
from evalkit.config.yaml_files import read_yaml

AGENTS = {
    "tools": "a model with bash, str_replace_editor and submit",
    "gold": "submits the known solution; checks tasks and grading, needs no engine",
    "null": "submits nothing; every task must stay unsolved, needs no engine",
}


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
        runner = load_runner(name, [])
        engine = runner.engine
        typer.echo(
            f"{name:20} {runner.label}, {engine.kind}, TP {engine.tensor_parallel_size}, "
            f"{engine.max_model_len:,} tokens of context"
        )


def list_agents() -> None:
    """Print each agent and what it does."""
    for name, what in AGENTS.items():
        typer.echo(f"{name:20} {what}")

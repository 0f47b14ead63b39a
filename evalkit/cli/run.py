"""`evalkit run`: everything, in one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from evalkit.agents.plugin import AgentContext
from evalkit.agents.registry import Chosen, choose_agent
from evalkit.cli.execute import carry_out, new_id
from evalkit.cli.listing import in_words
from evalkit.cli.resume import resume_command, run_folder
from evalkit.cli.select import Selection, excluded, select
from evalkit.cli.served import served_model
from evalkit.cli.settled import Run
from evalkit.cli.wiring import (
    cache_folder,
    choose_runner,
    choose_suite,
    process_environment,
    say,
)
from evalkit.protocols import Agent
from evalkit.serving.admission import Gate
from evalkit.store import RunFolder
from evalkit.types import Record


class RunRequest(Record):
    """The flags of `evalkit run`."""

    suite: str
    runner: str | None
    output: Path | None
    rollouts: int | None
    attempts: int
    selection: Selection
    agent: str | None
    endpoint: str | None
    model: str | None
    overrides: tuple[str, ...]
    resume: bool = False
    allow_changes: bool = False


def run_command(request: RunRequest, *, dry_run: bool) -> int:
    """Run, and return the exit code."""
    run, agent = _resolve(request)
    if dry_run:
        _show_plan(run)
        return 0

    @contextmanager
    def open_agent(folder: RunFolder, gate: Gate) -> Iterator[Agent]:
        context = AgentContext(
            argument=agent.argument,
            tasks=run.tasks,
            attempts=run.attempts,
            config=run.runner.agent,
            limits=run.runner.limits,
            stopping=gate.stopping,
            serve=lambda: served_model(run.runner, folder, gate),
            describe=folder.describe,
            environ=process_environment(),
            cache=cache_folder(),
            say=say,
        )
        with agent.plugin.open(context) as opened:
            yield opened

    return carry_out(run, open_agent)


def _resolve(request: RunRequest) -> tuple[Run, Chosen]:
    suite = choose_suite(request.suite, request.overrides)
    runner = choose_runner(
        suite,
        request.runner,
        request.overrides,
        endpoint=request.endpoint,
        model=request.model,
    )
    agent = choose_agent(request.agent or runner.agent.name)
    if request.rollouts is not None:
        concurrency = runner.concurrency.model_copy(update={"rollouts": request.rollouts})
        runner = runner.model_copy(update={"concurrency": concurrency})
    run_id = new_id(suite.name, agent.name)
    resume = request.resume or request.allow_changes
    folder = run_folder(request.output, run_id, resume=resume)
    run = Run(
        id=run_id,
        folder=folder,
        command=resume_command(folder),
        suite=suite,
        runner=runner,
        agent=agent.name,
        model=runner.label if agent.plugin.needs_engine else agent.name,
        tasks=tuple(select(suite.tasks(), request.selection)),
        attempts=request.attempts,
        excluded=excluded(suite.tasks(), request.selection),
        facts={"argument": agent.argument} if agent.argument else {},
        shuffled=request.selection.shuffle is not None,
        resume=resume,
        allow_changes=request.allow_changes,
    )
    return run, agent


def _show_plan(run: Run) -> None:
    typer.echo(f"suite     {run.suite.name} at {run.suite.revision[:12]}")
    typer.echo(f"tasks     {len(run.tasks)} x {run.attempts} attempts")
    typer.echo(f"agent     {run.agent}")
    typer.echo(f"model     {in_words(run.runner)}")
    typer.echo(f"rollouts  up to {run.runner.concurrency.rollouts} side by side")
    typer.echo(f"folder    {run.folder}")
    for task in run.tasks:
        typer.echo(f"  {task.id}")

"""`evalkit run`: everything, in one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import typer

from evalkit.agents.fixed import GOLD, NULL
from evalkit.agents.scaffold import open_prompt
from evalkit.agents.tools import ToolAgent
from evalkit.cli.execute import Run, carry_out, new_id
from evalkit.cli.listing import AGENTS
from evalkit.cli.select import Selection, excluded, select
from evalkit.cli.serve import served_model
from evalkit.cli.wiring import cache_folder, choose_runner, choose_suite, say
from evalkit.config.names import unknown_name
from evalkit.protocols import Agent
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


def run_command(request: RunRequest, *, dry_run: bool) -> int:
    """Run, and return the exit code."""
    run = _resolve(request)
    if dry_run:
        _show_plan(run)
        return 0
    if run.agent == "tools":
        run = _with_prompt(run)

    @contextmanager
    def open_agent(folder: RunFolder, stopping: Event) -> Iterator[Agent]:
        fixed = {"gold": GOLD, "null": NULL}
        if run.agent in fixed:
            yield fixed[run.agent]
            return
        assert run.prompt is not None
        with served_model(run.runner, folder, stopping) as model:
            yield ToolAgent(
                model=model,
                prompt=run.prompt,
                config=run.runner.agent,
                limits=run.runner.limits,
                stopping=stopping,
            )

    return carry_out(run, open_agent)


def _resolve(request: RunRequest) -> Run:
    suite = choose_suite(request.suite, request.overrides)
    runner = choose_runner(
        suite,
        request.runner,
        request.overrides,
        endpoint=request.endpoint,
        model=request.model,
    )
    agent = request.agent or runner.agent.name
    if agent not in AGENTS:
        raise unknown_name("agent", agent, AGENTS)
    if request.rollouts is not None:
        concurrency = runner.concurrency.model_copy(update={"rollouts": request.rollouts})
        runner = runner.model_copy(update={"concurrency": concurrency})
    run_id = new_id(suite.name, agent)
    return Run(
        id=run_id,
        folder=request.output or Path("runs") / run_id,
        suite=suite,
        runner=runner,
        agent=agent,
        model=agent if agent in {"gold", "null"} else runner.label,
        tasks=tuple(select(suite.tasks(), request.selection)),
        attempts=request.attempts,
        excluded=excluded(suite.tasks(), request.selection),
    )


def _with_prompt(run: Run) -> Run:
    """Have the prompt, and what it decides where the runner does not."""
    prompt = open_prompt(run.runner.agent, cache_folder(), say)
    runner = run.runner.model_copy(update={"agent": prompt.settle(run.runner.agent)})
    return replace(run, prompt=prompt, runner=runner)


def _show_plan(run: Run) -> None:
    engine = run.runner.engine
    typer.echo(f"suite     {run.suite.name} at {run.suite.revision[:12]}")
    typer.echo(f"tasks     {len(run.tasks)} x {run.attempts} attempts")
    typer.echo(f"agent     {run.agent}")
    typer.echo(f"model     {run.runner.label} ({engine.kind}, TP {engine.tensor_parallel_size})")
    typer.echo(f"rollouts  up to {run.runner.concurrency.rollouts} side by side")
    typer.echo(f"folder    {run.folder}")
    for task in run.tasks:
        typer.echo(f"  {task.id}")

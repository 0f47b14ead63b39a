"""`evalkit run`: everything, in one command."""

import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from threading import Event

import psutil
import typer
from pydantic import JsonValue

from evalkit.agents.fixed import GOLD, NULL
from evalkit.agents.prompt import Prompt
from evalkit.agents.tools import ToolAgent
from evalkit.attempt import Finished, Parts
from evalkit.campaign import Campaign, Plan
from evalkit.cli.listing import AGENTS
from evalkit.cli.live import LiveWatcher, PlainWatcher
from evalkit.cli.prepare import prepare_images
from evalkit.cli.results import show_results
from evalkit.cli.select import Selection, select
from evalkit.cli.serve import served_model
from evalkit.cli.signals import Terminated, orderly_signals
from evalkit.cli.wiring import choose_runner, choose_suite, docker, on_terminal, progress, say
from evalkit.config.names import unknown_name
from evalkit.config.runner import Runner
from evalkit.grading.judge import GRADING_VERSION, judge
from evalkit.grading.tamper import flag_patch
from evalkit.protocols import Agent
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.reap import reap
from evalkit.store import RunFolder
from evalkit.suites.folder import FolderSuite
from evalkit.types import Outcome, Record, Task


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


class Run(Record, arbitrary_types_allowed=True):
    """A run with all its choices made."""

    id: str
    folder: Path
    suite: FolderSuite
    runner: Runner
    agent: str
    tasks: tuple[Task, ...]
    attempts: int


def run_command(request: RunRequest, *, dry_run: bool) -> int:
    """Run, and return the exit code."""
    run = _resolve(request)
    if dry_run:
        _show_plan(run)
        return 0
    try:
        with orderly_signals():
            finished = _execute(run)
    except KeyboardInterrupt as stopped:
        say(f"stopped; what was finished is in {run.folder}")
        return 143 if isinstance(stopped, Terminated) else 130
    broken = any(one.result.outcome is Outcome.INFRA_ERROR for one in finished)
    return 3 if broken else 0


def _resolve(request: RunRequest) -> Run:
    suite = choose_suite(request.suite)
    runner = choose_runner(
        suite,
        request.runner,
        list(request.overrides),
        endpoint=request.endpoint,
        model=request.model,
    )
    agent = request.agent or runner.agent.name
    if agent not in AGENTS:
        raise unknown_name("agent", agent, AGENTS)
    if request.rollouts is not None:
        concurrency = runner.concurrency.model_copy(update={"rollouts": request.rollouts})
        runner = runner.model_copy(update={"concurrency": concurrency})
    run_id = f"{suite.name}-{agent}-{time.strftime('%Y%m%d-%H%M%S')}"
    return Run(
        id=run_id,
        folder=request.output or Path("runs") / run_id,
        suite=suite,
        runner=runner,
        agent=agent,
        tasks=tuple(select(suite.tasks(), request.selection)),
        attempts=request.attempts,
    )


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


def _execute(run: Run) -> list[Finished]:
    reap(docker())
    stopping = Event()
    with RunFolder(run.folder) as folder:
        folder.describe(**_manifest(run))
        prepare_images(run.suite, run.tasks)
        with _agent(run, folder, stopping) as agent:
            finished = _campaign(run, folder, agent, stopping)
        folder.event("done", attempts=len(finished))
    show_results(run.folder)
    return finished


def _manifest(run: Run) -> dict[str, JsonValue]:
    return {
        "run_id": run.id,
        "evalkit": metadata.version("evalkit"),
        "grading": GRADING_VERSION,
        "suite": run.suite.name,
        "revision": run.suite.revision,
        "selected": [task.id for task in run.tasks],
        "attempts": run.attempts,
        "agent": run.agent,
        "model": run.runner.label if run.agent == "tools" else run.agent,
        "prompt_sha256": Prompt.load(run.runner.agent.prompt).sha256,
        "runner": run.runner.model_dump(mode="json"),
        "started": time.time(),
        "host": {
            "system": platform.platform(),
            "python": sys.version.split()[0],
            "cpus": psutil.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        },
    }


@contextmanager
def _agent(run: Run, folder: RunFolder, stopping: Event) -> Iterator[Agent]:
    fixed = {"gold": GOLD, "null": NULL}
    if run.agent in fixed:
        yield fixed[run.agent]
        return
    with served_model(run.runner, folder, stopping) as model:
        yield ToolAgent(
            model=model, config=run.runner.agent, limits=run.runner.limits, stopping=stopping
        )


def _campaign(run: Run, folder: RunFolder, agent: Agent, stopping: Event) -> list[Finished]:
    total = len(run.tasks) * run.attempts
    watcher = LiveWatcher if on_terminal() else PlainWatcher
    parts = Parts(
        agent=agent,
        suite=run.suite,
        containers=DockerContainers(docker(), run_id=run.id),
        judge=judge,
        flag_patch=flag_patch,
        grading_version=GRADING_VERSION,
    )
    plan = Plan(
        tasks=run.tasks,
        attempts=run.attempts,
        rollouts=run.runner.concurrency.rollouts,
        gradings=run.runner.concurrency.gradings,
    )
    with watcher(progress, total) as watching:
        return Campaign(plan, parts, folder, watching, stopping).run()

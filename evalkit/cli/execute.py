"""A run with all its choices made: carried out, and put down in its folder."""

import platform
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import metadata
from itertools import product
from pathlib import Path

import psutil
from pydantic import JsonValue

from evalkit.attempt import Parts
from evalkit.campaign import Boundaries, Campaign, Plan, left_to_do
from evalkit.cli.host import DOCKER, AwaitRoom, Host, HostContainers
from evalkit.cli.live import watcher
from evalkit.cli.order import ordered, seconds_before
from evalkit.cli.results import show_results
from evalkit.cli.resume import agreed
from evalkit.cli.settled import Run
from evalkit.cli.signals import Stopper, stoppable
from evalkit.cli.wiring import say
from evalkit.errors import EngineGoneError
from evalkit.grading.audit.trajectory import audit_trajectory
from evalkit.grading.judge import GRADING_VERSION, judge
from evalkit.grading.tamper import flag_patch
from evalkit.protocols import Agent, Containers
from evalkit.serving.admission import Gate
from evalkit.store import RunFolder
from evalkit.store.lines import as_record
from evalkit.store.planned import Planned
from evalkit.types import Outcome, Result, Task

OpenAgent = Callable[[RunFolder, Gate], AbstractContextManager[Agent]]
"""Takes the gate that admits rollouts, for the engine to move."""


def new_id(suite: str, agent: str) -> str:
    """Return a name for a run that begins now."""
    return f"{suite}-{agent}-{time.strftime('%Y%m%d-%H%M%S')}"


def carry_out(
    run: Run,
    open_agent: OpenAgent,
    show: Callable[[Path], None] = show_results,
    host: Host = DOCKER,
) -> int:
    """Run to the end or to a signal, show the results, and return the exit code."""

    def work(stopper: Stopper) -> int:
        results = execute(run, open_agent, stopper, host)
        show(run.folder)
        whole = len(results) == len(run.tasks) * run.attempts
        broken = any(one.outcome is Outcome.INFRA_ERROR for one in results)
        if broken or not whole:
            say(f"incomplete; go on with\n  {run.command}")
        return 3 if broken or not whole else 0

    return stoppable(work, lambda: go_on(run))


def go_on(run: Run) -> str:
    """Say how a run that stopped goes on."""
    return f"stopped; what was finished is in {run.folder}. Go on with\n  {run.command}"


def execute(run: Run, open_agent: OpenAgent, stopper: Stopper, host: Host = DOCKER) -> list[Result]:
    """Run every attempt into the run's folder; return the results, of earlier sessions too.

    Raises EngineGoneError, with the command that goes on, where the engine is lost for good, and
    KeyboardInterrupt after an orderly stop.
    """
    with RunFolder(run.folder, resume=run.resume, await_room=AwaitRoom(stopper.stopping)) as folder:
        manifest = agreed(folder, _manifest(run), allow_changes=run.allow_changes)
        run = replace(run, id=str(manifest["run_id"]))
        folder.describe(**manifest)
        folder.event("began")
        gate = Gate(run.runner.concurrency.rollouts, stopper.stopping, _telling(folder))
        gone = None
        try:
            with open_agent(folder, gate) as agent, stopper.draining():
                _campaign(run, folder, agent, gate, host)
        except EngineGoneError as error:
            gone = EngineGoneError(error.message, hint=f"go on with: {run.command}")
        results = counted(folder)
        folder.predict(results)
        folder.event("ended", attempts=len(results))
    if gone is not None:
        raise gone
    if stopper.signal is not None:
        raise KeyboardInterrupt
    return results


def counted(folder: RunFolder) -> list[Result]:
    """Return the results that count: of the attempts that run.json plans, the last of each."""
    return list(_planned(folder).results(folder.path)[0].values())


def _planned(folder: RunFolder) -> Planned:
    return as_record(Planned, folder.manifest, str(folder.path / "run.json"))


def _telling(folder: RunFolder) -> Callable[..., None]:
    """Return what writes the gate's notes into the folder, and tells of pauses."""

    def note(kind: str, **facts: JsonValue) -> None:
        if facts.get("what") != "engine":  # its supervisor speaks for it
            if kind == "paused":
                say(f"paused: {facts['what']}: {facts['why']}; no rollout starts meanwhile")
            elif kind == "resumed":
                say(f"going on: {facts['what']} is back")
        folder.event(kind, **facts)

    return note


def _manifest(run: Run) -> dict[str, JsonValue]:
    selected: list[JsonValue] = [task.id for task in run.tasks]
    known_bad: dict[str, JsonValue] = {
        task.id: run.suite.known_bad[task.id]
        for task in run.tasks
        if task.id in run.suite.known_bad
    }
    return {
        "run_id": run.id,
        "evalkit": metadata.version("evalkit"),
        "grading": GRADING_VERSION,
        "suite": run.suite.name,
        "revision": run.suite.revision,
        "suite_facts": dict(run.suite.facts),
        "suite_tasks": len(run.suite.tasks()),
        "selected": selected,
        # Of each of them: so that runs over two revisions can be compared on what did not change.
        "task_revisions": [run.suite.task_revision(task)[:12] for task in run.tasks],
        "excluded": list(run.excluded),
        "known_bad": known_bad,
        "attempts": run.attempts,
        "agent": run.agent,
        "model": run.model,
        "prompt_sha256": None,  # an agent with a prompt says so
        "runner": run.runner.model_dump(mode="json"),
        "facts": dict(run.facts),
        "repair_newline": run.repair_newline,
        "command": run.command,
        "started": time.time(),
        "host": {
            "system": platform.platform(),
            "python": sys.version.split()[0],
            "cpus": psutil.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        },
    }


def _campaign(run: Run, folder: RunFolder, agent: Agent, gate: Gate, host: Host) -> None:
    concurrency, images = run.runner.concurrency, run.runner.images
    with host.containers(run, folder) as containers:
        folder.describe(limits=_effective(run.tasks, containers))
        parts = _parts(run, agent, containers)
        pairs = list(product(run.tasks, _planned(folder).numbers))
        todo = left_to_do(pairs, folder, parts, lambda task: containers.digest(task.image))
        if len(todo) < len(pairs):
            say(f"{len(pairs) - len(todo)} of {len(pairs)} attempts are finished; the rest goes on")
        before = seconds_before(run.folder, run.suite.name) if todo else {}
        plan = Plan(
            todo=ordered(run, todo, before),
            rollouts=concurrency.rollouts,
            # One is made ready and one parsed for each whose tests run.
            gradings=2 * concurrency.gradings,
            pulls=images.pulls,
            keep_images=images.keep,
            last_gradings_s=concurrency.last_gradings_s,
            cut_short=containers.cut_short,
        )
        with (
            Boundaries(host.checks(run), gate, gate.stopping) as boundaries,
            watcher(len(pairs), len(pairs) - len(todo), lambda: gate.paused) as watching,
        ):
            Campaign(
                plan,
                parts,
                folder,
                watching,
                admission=gate,
                boundaries=boundaries,
                stopping=gate.stopping,
            ).run()


def _parts(run: Run, agent: Agent, containers: Containers) -> Parts:
    return Parts(
        agent=agent,
        suite=run.suite,
        containers=containers,
        judge=judge,
        flag_patch=flag_patch,
        audit=audit_trajectory,
        grading_version=GRADING_VERSION,
        repair_newline=run.repair_newline,
    )


def _effective(tasks: Sequence[Task], containers: HostContainers) -> list[JsonValue]:
    """Return each kind of limits the tasks ask for, with what this host gives."""
    kinds = {task.limits: None for task in tasks}
    return [
        {
            "wanted": limits.model_dump(mode="json"),
            "effective": containers.effective(limits).model_dump(mode="json"),
        }
        for limits in kinds
    ]

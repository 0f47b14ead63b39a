"""A run with all its choices made: carried out, and put down in its folder."""

import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import metadata
from itertools import product
from pathlib import Path
from threading import Event

import psutil
from pydantic import JsonValue

from evalkit.attempt import Parts
from evalkit.campaign import Campaign, Plan
from evalkit.cli.live import LiveWatcher, PlainWatcher
from evalkit.cli.results import show_results
from evalkit.cli.signals import stoppable
from evalkit.cli.wiring import docker, on_terminal, progress, say
from evalkit.config.runner import Runner
from evalkit.errors import SandboxError
from evalkit.grading.audit.trajectory import audit_trajectory
from evalkit.grading.judge import GRADING_VERSION, judge
from evalkit.grading.tamper import flag_patch
from evalkit.protocols import Agent, Suite
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.reap import reap
from evalkit.serving.admission import Gate
from evalkit.store import RunFolder
from evalkit.types import Finished, Outcome, Task


@dataclass(frozen=True, kw_only=True)
class Run:
    """What to run, on what, and where it is put down."""

    id: str
    folder: Path
    suite: Suite
    runner: Runner
    agent: str
    model: str
    """Whose score this is: the model's label, or where the patches come from."""
    tasks: tuple[Task, ...]
    attempts: int
    excluded: tuple[str, ...] = ()
    """Tasks of the suite that the user left out by a file."""
    repair_newline: bool = False


OpenAgent = Callable[[RunFolder, Gate], AbstractContextManager[Agent]]
"""Takes the gate that admits rollouts, for the engine to move."""


def new_id(suite: str, agent: str) -> str:
    """Return a name for a run that begins now."""
    return f"{suite}-{agent}-{time.strftime('%Y%m%d-%H%M%S')}"


def carry_out(run: Run, open_agent: OpenAgent, show: Callable[[Path], None] = show_results) -> int:
    """Run to the end or to a signal, show the results, and return the exit code."""

    def work() -> int:
        finished = execute(run, open_agent)
        show(run.folder)
        return 3 if any(one.result.outcome is Outcome.INFRA_ERROR for one in finished) else 0

    return stoppable(work, run.folder)


def execute(run: Run, open_agent: OpenAgent) -> list[Finished]:
    """Run every attempt into the run's folder."""
    reap(docker())
    with RunFolder(run.folder) as folder:
        folder.describe(**_manifest(run))
        gate = Gate(run.runner.concurrency.rollouts, Event(), folder.event)
        with open_agent(folder, gate) as agent:
            finished = _campaign(run, folder, agent, gate)
        folder.event("done", attempts=len(finished))
    return finished


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
        "excluded": list(run.excluded),
        "known_bad": known_bad,
        "attempts": run.attempts,
        "agent": run.agent,
        "model": run.model,
        "prompt_sha256": None,  # an agent with a prompt says so
        "runner": run.runner.model_dump(mode="json"),
        "repair_newline": run.repair_newline,
        "started": time.time(),
        "host": {
            "system": platform.platform(),
            "python": sys.version.split()[0],
            "cpus": psutil.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        },
    }


def _campaign(run: Run, folder: RunFolder, agent: Agent, gate: Gate) -> list[Finished]:
    watcher = LiveWatcher if on_terminal() else PlainWatcher
    plan = Plan(
        pairs=ordered(run),
        rollouts=run.runner.concurrency.rollouts,
        # One is made ready and one parsed for each whose tests run.
        gradings=2 * run.runner.concurrency.gradings,
        pulls=run.runner.images.pulls,
        keep_images=run.runner.images.keep,
    )
    with _containers(run, folder) as containers:
        folder.describe(limits=_effective(run.tasks, containers))
        parts = _parts(run, agent, containers)
        with watcher(progress, len(plan.pairs)) as watching:
            campaign = Campaign(
                plan, parts, folder, watching, admission=gate, stopping=gate.stopping
            )
            return campaign.run()


@contextmanager
def _containers(run: Run, folder: RunFolder) -> Iterator[DockerContainers]:
    containers = DockerContainers(
        docker(),
        run_id=run.id,
        heavy=run.runner.concurrency.gradings,
        history=run.runner.sandbox.history,
    )
    try:
        yield containers
    finally:
        try:
            containers.close()
        except SandboxError as error:  # it costs room on the disk, and no result
            folder.event("container_kept", why=error.message)
            say(f"{error.message}; `evalkit clean` tries again")


def _parts(run: Run, agent: Agent, containers: DockerContainers) -> Parts:
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


def ordered(run: Run) -> list[tuple[Task, int]]:
    """Go round by round, so that coverage stays even; task by task where images do not stay."""
    numbers = range(1, run.attempts + 1)
    if run.runner.images.keep:
        return [(task, number) for number, task in product(numbers, run.tasks)]
    return list(product(run.tasks, numbers))


def _effective(tasks: Sequence[Task], containers: DockerContainers) -> list[JsonValue]:
    """Return each kind of limits the tasks ask for, with what this host gives."""
    kinds = {task.limits: None for task in tasks}
    return [
        {
            "wanted": limits.model_dump(mode="json"),
            "effective": containers.effective(limits).model_dump(mode="json"),
        }
        for limits in kinds
    ]

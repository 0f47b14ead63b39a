"""Rollouts and jobs in Docker containers: `protocols.Containers`."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from threading import Event, Semaphore
from typing import TYPE_CHECKING

from evalkit.errors import SandboxError
from evalkit.protocols import Job, JobResult
from evalkit.sandbox.daemon import docker_errors, effective_limits, look_at_image
from evalkit.sandbox.jobs import NO_SLOT, run_job
from evalkit.sandbox.layers import Layers, drop_layers
from evalkit.sandbox.lifecycle import START_S, Spec, container, kill, start
from evalkit.sandbox.owner import ATTEMPT, OWNER, RUN, TASK, TESTS, Owner
from evalkit.sandbox.removals import Removals
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import History, Limits, Network, Task

if TYPE_CHECKING:
    from docker import APIClient

ROLLOUT_S = 6 * 3600.0
_KILLED = 137
STARTS = 8
"""Sandboxes started, and patches taken, side by side. More only wait for each other in the daemon,
and for its timeout: with 256 at once on 2 cores single starts took over a minute."""

# Pid 1 cannot be killed from inside, so `kill -9 -1` or `pkill sleep` costs the agent its own
# processes and not the sandbox, which docker-init would end with its only child. A shell that
# waits also reaps orphans, which is all that an init is for.
_LIVE = 'end=$(($(date +%s) + $1)); while [ "$(date +%s)" -lt "$end" ]; do sleep 60; done'


class DockerContainers:
    """Containers of one run on one daemon. For any number of threads; close it at the end.

    `rollout_s` bounds a sandbox's life where evalkit itself dies, `start_s` its start. Of heavy jobs
    `heavy` run at once. `history` is what a rollout's repository remembers.
    """

    def __init__(
        self,
        client: "APIClient",
        *,
        run_id: str,
        rollout_s: float = ROLLOUT_S,
        start_s: float = START_S,
        heavy: int = 2,
        history: History = "base",
    ) -> None:
        self._client = client
        self._slots = Semaphore(heavy)
        self._starts = Semaphore(STARTS)
        self._captures = Semaphore(STARTS)
        self._start_s = start_s
        self._rollout_s = rollout_s
        self._labels = {RUN: run_id, TASK: "", ATTEMPT: "", OWNER: Owner.here().label}
        self._layers = Layers(client, self._labels, history)
        self._abandoned = False
        self._cut = Event()
        self._removals = Removals(client, self._mine)

    def effective(self, wanted: Limits) -> Limits:
        """Return the limits that containers really get: `wanted`, or what the host has."""
        return effective_limits(self._client, wanted)

    @contextmanager
    def rollout(self, task: Task, attempt: int) -> Iterator[DockerSandbox]:
        """Open the sandbox an agent works in: no network, no later history, nothing of the host.

        Raises ImageError where the image is missing, SandboxError where Docker fails.
        """
        self._refuse_late()
        labels = {**self._labels, TASK: task.id, ATTEMPT: str(attempt)}
        layer = self._layers.ensure(task)
        image = look_at_image(self._client, layer)
        spec = Spec(
            image=layer,
            script=_LIVE,
            arguments=[str(int(self._rollout_s))],
            workdir=task.workdir,
            labels=labels,
            limits=self.effective(task.limits),
            network=Network.NONE,
            init=False,
            auto_remove=True,
            root=image is not None and image.runs_as_root(),
        )
        with ExitStack() as stack:
            with self._starts:
                dispose = self._removals.now(task.image)
                container_id = stack.enter_context(container(self._client, spec, dispose))
                start(self._client, container_id, self._start_s)
            sandbox = DockerSandbox(self._client, container_id, task, labels, self._captures)
            yield stack.enter_context(closing(sandbox))

    def run(self, job: Job) -> JobResult:
        """Run a job in a fresh container, which is removed while the caller goes on."""
        self._refuse_late()
        slot = self._slots if job.heavy else NO_SLOT
        labels = {**self._labels, TESTS: "yes"} if job.heavy else self._labels
        dispose = self._removals.beside(job.image)
        result = run_job(self._client, job, labels, dispose=dispose, slot=slot)
        if job.heavy and self._cut.is_set() and result.exit_code == _KILLED:
            return replace(result, exit_code=None, timed_out=True)
        return result

    def cut_short(self) -> None:
        """End tests that run now, as if they had passed their limit."""
        self._cut.set()
        for container_id in self._mine(TESTS):
            kill(self._client, container_id)

    def digest(self, image: str) -> str | None:
        """Return the digest of an image on this machine; None where it is not here."""
        found = look_at_image(self._client, image)
        return found.digest if found else None

    def settle(self, image: str) -> None:
        """Wait until the containers of ended work on an image are gone, and drop its layers.

        Raises SandboxError where a container stays.
        """
        self._removals.settle(image)
        drop_layers(self._client, image)

    def abandon(self) -> None:
        """Remove every container of this run at once; what is done in them fails.

        Raises SandboxError where Docker fails.
        """
        self._abandoned = True
        self._removals.hurry()

    def _mine(self, *labels: str) -> list[str]:
        mine = [*(f"{key}={self._labels[key]}" for key in (RUN, OWNER)), *labels]
        with docker_errors("cannot list containers"):
            found = self._client.containers(all=True, filters={"label": mine})
        return [str(entry["Id"]) for entry in found]

    def _refuse_late(self) -> None:
        if self._abandoned:
            raise SandboxError("the run was stopped at once")

    def close(self) -> None:
        """Wait until every container of the run is gone. Raises SandboxError where one stays."""
        self._removals.close()

"""Many attempts: images, rollouts and gradings side by side, each image given back at its end."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock, Semaphore
from typing import Protocol

from evalkit.attempt import (
    Broken,
    Parts,
    RolledOut,
    conclude,
    grade,
    no_rollout,
    prepare,
    roll_out,
)
from evalkit.errors import EngineGoneError, EvalkitError
from evalkit.protocols import Admission, Message, RunStore
from evalkit.types import Finished, Task


class Watcher(Protocol):
    """Something that shows how the run goes. Called from worker threads, one call at a time."""

    def changed(self, task_id: str, attempt: int, state: str) -> None:
        """Take note that an attempt went on: `rollout`, `turn N`, `grading`."""
        ...

    def finished(self, finished: Finished) -> None:
        """Take note that an attempt ended."""
        ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run, and how much of it side by side."""

    pairs: Sequence[tuple[Task, int]]
    """Tasks with the numbers of their attempts, in the order of their start."""
    rollouts: int
    gradings: int
    """Gradings under way at once; that their tests are fewer is for the containers to see to."""
    pulls: int = 3
    keep_images: bool = True
    """False gives each image back after its task's last attempt, and bounds those here at once."""


class Campaign:
    """One run of a plan. `stopping` is set on the way out, whatever the way."""

    def __init__(
        self,
        plan: Plan,
        parts: Parts,
        store: RunStore,
        watcher: Watcher,
        *,
        admission: Admission,
        stopping: Event,
    ) -> None:
        self._plan = plan
        self._admission = admission
        self._parts = parts
        self._store = store
        self._watcher = watcher
        self._stopping = stopping
        self._gone = Event()
        """Set once the engine is lost for good: nothing further is begun."""
        self._telling = Lock()
        self._left = Counter(task.id for task, _ in plan.pairs)
        self._room = Semaphore(plan.rollouts + plan.gradings + plan.pulls)
        self._images: dict[str, Future[Broken | None]] = {}

    def run(self) -> list[Finished]:
        """Run every attempt of the plan, in its order.

        Raises EngineGoneError where the engine is lost for good, once every patch that was had by
        then is graded.
        """
        queued = time.monotonic()
        with self._pools() as (pullers, rollers, graders):
            for task, _ in self._plan.pairs:
                if task.id not in self._images:
                    self._images[task.id] = pullers.submit(self._prepare, task)
            pending = [
                rollers.submit(self._roll_out, task, attempt, queued, graders)
                for task, attempt in self._plan.pairs
            ]
            gradings, gone = self._rolled_out(pending)
            finished = [grading.result() for grading in gradings]
        if gone is not None:
            raise gone
        return finished

    @contextmanager
    def _pools(self) -> Iterator[tuple[ThreadPoolExecutor, ThreadPoolExecutor, ThreadPoolExecutor]]:
        plan = self._plan
        with (
            ThreadPoolExecutor(plan.gradings, "grading") as graders,
            ThreadPoolExecutor(plan.rollouts, "rollout") as rollers,
            ThreadPoolExecutor(plan.pulls, "image") as pullers,
        ):
            try:
                yield pullers, rollers, graders
            except BaseException:
                self._stopping.set()
                graders.shutdown(wait=False, cancel_futures=True)
                pullers.shutdown(wait=True, cancel_futures=True)
                rollers.shutdown(wait=True, cancel_futures=True)
                raise

    def _rolled_out(
        self, pending: Sequence[Future[Future[Finished]]]
    ) -> tuple[list[Future[Finished]], EngineGoneError | None]:
        """Wait for the rollouts; return the gradings of those that came to their end."""
        gradings, gone = [], None
        for future in pending:
            try:
                gradings.append(future.result())
            except EngineGoneError as error:
                gone = error
            except CancelledError:
                if not self._gone.is_set():
                    raise
        return gradings, gone

    def _prepare(self, task: Task) -> Broken | None:
        while not self._plan.keep_images and not self._room.acquire(timeout=0.5):
            if self._stopping.is_set() or self._gone.is_set():
                raise CancelledError
        if self._gone.is_set():
            raise CancelledError
        begun = time.monotonic()
        broken = prepare(task, self._parts)
        self._store.event(
            "image",
            task_id=task.id,
            seconds=round(time.monotonic() - begun, 3),
            fault=broken.detail if broken else None,
        )
        return broken

    def _roll_out(
        self, task: Task, attempt: int, queued: float, graders: ThreadPoolExecutor
    ) -> Future[Finished]:
        broken = self._images[task.id].result()
        if broken:
            queue_s = time.monotonic() - queued
            return graders.submit(self._grade, task, no_rollout(task, attempt, broken), queue_s)
        try:
            with self._admission.slot():
                queue_s = time.monotonic() - queued
                self._tell(task, attempt, "rollout")
                self._store.event("rollout", task_id=task.id, attempt=attempt)
                rolled = roll_out(task, attempt, self._parts, self._recorder(task, attempt))
        except EngineGoneError:
            self._gone.set()
            raise
        if self._stopping.is_set():
            self._store.event("interrupted", task_id=task.id, attempt=attempt)
            raise CancelledError
        self._tell(task, attempt, "grading")
        return graders.submit(self._grade, task, rolled, queue_s)

    def _grade(self, task: Task, rolled: RolledOut, queue_s: float) -> Finished:
        graded = grade(task, rolled, self._parts, self._stopping)
        finished = conclude(task, rolled, graded, self._parts, queue_s=queue_s)
        self._store.finish(finished)
        outcome = finished.result.outcome
        self._store.event(
            "graded", task_id=task.id, attempt=finished.result.attempt, outcome=outcome
        )
        with self._telling:
            self._watcher.finished(finished)
            self._left[task.id] -= 1
            last = not self._left[task.id]
        if last and not self._plan.keep_images:
            self._give_back(task)
        return finished

    def _give_back(self, task: Task) -> None:
        try:
            self._parts.containers.settle(task.image)
            self._parts.suite.release(task)
        except EvalkitError as error:  # it costs room on the disk, and no result
            self._store.event("image_kept", task_id=task.id, why=error.message)
        self._room.release()

    def _recorder(self, task: Task, attempt: int) -> Callable[[Message], None]:
        write = self._store.trajectory(task.id, attempt)

        def record(line: Message) -> None:
            write(line)
            if line["kind"] == "turn":
                self._tell(task, attempt, f"turn {line['turn']}")

        return record

    def _tell(self, task: Task, attempt: int, state: str) -> None:
        with self._telling:
            self._watcher.changed(task.id, attempt, state)

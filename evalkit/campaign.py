"""Many attempts: images first, then rollouts and gradings side by side."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from threading import Event, Lock
from typing import Protocol

from evalkit.attempt import Finished, Parts, RolledOut, conclude, grade, roll_out
from evalkit.protocols import Message, RunStore
from evalkit.types import Task


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

    tasks: Sequence[Task]
    attempts: int
    rollouts: int
    gradings: int


class Campaign:
    """One run of a plan. `stopping` is set on the way out, whatever the way."""

    def __init__(
        self, plan: Plan, parts: Parts, store: RunStore, watcher: Watcher, stopping: Event
    ) -> None:
        self._plan = plan
        self._parts = parts
        self._store = store
        self._watcher = watcher
        self._stopping = stopping
        self._telling = Lock()

    def run(self) -> list[Finished]:
        """Run every attempt; those of one round before the next, so that coverage stays even."""
        rounds = product(range(1, self._plan.attempts + 1), self._plan.tasks)
        queued = time.monotonic()
        with (
            ThreadPoolExecutor(self._plan.gradings, "grading") as graders,
            ThreadPoolExecutor(self._plan.rollouts, "rollout") as rollers,
        ):
            pending = [
                rollers.submit(self._roll_out, task, attempt, queued, graders)
                for attempt, task in rounds
            ]
            try:
                return [future.result().result() for future in pending]
            except BaseException:
                self._stopping.set()
                rollers.shutdown(wait=True, cancel_futures=True)
                raise

    def _roll_out(
        self, task: Task, attempt: int, queued: float, graders: ThreadPoolExecutor
    ) -> Future[Finished]:
        queue_s = time.monotonic() - queued
        self._tell(task, attempt, "rollout")
        self._store.event("rollout", task_id=task.id, attempt=attempt)
        rolled = roll_out(task, attempt, self._parts, self._recorder(task, attempt))
        if self._stopping.is_set():
            self._store.event("interrupted", task_id=task.id, attempt=attempt)
            raise CancelledError
        self._tell(task, attempt, "grading")
        return graders.submit(self._grade, task, rolled, queue_s)

    def _grade(self, task: Task, rolled: RolledOut, queue_s: float) -> Finished:
        evidence = grade(task, rolled, self._parts)
        finished = conclude(task, rolled, evidence, self._parts, queue_s=queue_s)
        self._store.finish(
            finished.result, finished.submission, finished.evidence, finished.verdict
        )
        with self._telling:
            self._watcher.finished(finished)
        return finished

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

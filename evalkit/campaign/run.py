"""Images, rollouts and gradings side by side, each image given back at its end."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Condition, Event, Semaphore
from typing import Protocol

from evalkit.attempt import Graded, Parts, conclude, grade, no_rollout, prepare, roll_out
from evalkit.campaign.boundaries import Boundaries
from evalkit.campaign.todo import Todo
from evalkit.campaign.tries import PAUSES_S, BoundedTries
from evalkit.errors import EngineGoneError, EvalkitError, StoreError
from evalkit.protocols import Admission, Message, RunStore
from evalkit.types import Fault, Finished, RolledOut, StopReason, Task


class Watcher(Protocol):
    """Something that shows how the run goes. Called from worker threads, by several at once."""

    def changed(self, task_id: str, attempt: int, state: str) -> None:
        """Take note that an attempt went on: `rollout`, `turn N`, `grading`."""
        ...

    def finished(self, finished: Finished) -> None:
        """Take note that an attempt ended."""
        ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run, and how much of it side by side."""

    todo: Sequence[Todo]
    """In the order of their start."""
    rollouts: int
    gradings: int
    """Gradings under way at once; that their tests are fewer is for the containers to see to."""
    pulls: int = 3
    keep_images: bool = True
    """False gives each image back after its task's last attempt, and bounds those here at once."""
    last_gradings_s: float | None = None
    """Once the last rollout has ended, gradings take at most so long; None for no such bound."""
    cut_short: Callable[[], None] = lambda: None
    """Ends tests that run, as if they had passed their limit."""
    pauses_s: tuple[float, ...] = PAUSES_S
    """Before each new try of what broke for no fault of the agent's."""


class Campaign:
    """One run of a plan. `stopping` lets what runs come to its next turn, and starts nothing."""

    def __init__(
        self,
        plan: Plan,
        parts: Parts,
        store: RunStore,
        watcher: Watcher,
        *,
        admission: Admission,
        boundaries: Boundaries,
        stopping: Event,
    ) -> None:
        self._plan = plan
        self._admission = admission
        self.boundaries = boundaries
        self._parts = parts
        self._store = store
        self._watcher = watcher
        self._stopping = stopping
        self._gone: EngineGoneError | None = None
        """Set once the engine is lost for good: nothing further is begun."""
        self._left = Counter(todo.task.id for todo in plan.todo)
        self._under_way = Counter(rollout=len(plan.todo))
        """Steps that wait or run, by stage."""
        self._late = Event()
        """Set where gradings took longer than they may."""
        self._failure: BaseException | None = None
        self._changed = Condition()
        self._room = Semaphore(plan.rollouts + plan.gradings + plan.pulls)
        self._images: dict[str, Future[tuple[Fault, str] | None]] = {}

    def run(self) -> None:
        """Run every attempt of the plan, in its order, or until `stopping` is set.

        Raises EngineGoneError where the engine is lost for good, once every patch that was had by
        then is graded.
        """
        queued = time.monotonic()
        with self._pools() as (pullers, rollers, graders):
            for todo in self._plan.todo:
                if todo.task.id not in self._images:
                    self._images[todo.task.id] = pullers.submit(self._prepare, todo.task)
            for todo in self._plan.todo:
                rollers.submit(self._guarded, "rollout", self._roll_out, todo, queued, graders)
            self._await_end()
        if self._gone is not None:
            raise self._gone

    def _await_end(self) -> None:
        """Wait until no step is left, or one failed, which is raised."""
        with self._changed:
            self._changed.wait_for(lambda: self._failure or not self._under_way["rollout"])
            self._changed.wait_for(self._is_over, self._plan.last_gradings_s)
            late = 0 if self._failure else self._under_way["grading"]
        if late:
            self._late.set()
            self._store.event("cut_short", gradings=late)
            self._plan.cut_short()
            with self._changed:
                self._changed.wait_for(self._is_over)
        if self._failure is not None:
            raise self._failure

    def _is_over(self) -> bool:
        return self._failure is not None or not self._under_way.total()

    @contextmanager
    def _pools(self) -> Iterator[tuple[ThreadPoolExecutor, ThreadPoolExecutor, ThreadPoolExecutor]]:
        plan = self._plan
        pullers = ThreadPoolExecutor(plan.pulls, "image")
        rollers = ThreadPoolExecutor(plan.rollouts, "rollout")
        graders = ThreadPoolExecutor(plan.gradings, "grading")
        try:
            yield pullers, rollers, graders
        except BaseException as error:
            self._stopping.set()
            # A signal's second coming waits for nobody; a defect lets what runs come to its end.
            for pool in (pullers, rollers, graders):
                pool.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
            raise
        for pool in (pullers, rollers, graders):
            pool.shutdown()

    def _guarded(self, stage: str, step: Callable[..., None], *arguments: object) -> None:
        """Take a step of an attempt; keep what it raises."""
        failure = None
        try:
            step(*arguments)
        except CancelledError:
            pass
        except EngineGoneError as error:
            self._gone = error
        except BaseException as error:  # noqa: BLE001 - raised again where the run is waited for
            failure = error
        with self._changed:
            self._failure = self._failure or failure
            self._under_way[stage] -= 1
            if self._failure or not self._under_way[stage]:
                self._changed.notify_all()

    def _prepare(self, task: Task) -> tuple[Fault, str] | None:
        self._refuse_to_begin()
        while not self._plan.keep_images and not self._room.acquire(timeout=0.5):
            self._refuse_to_begin()
        begun = time.monotonic()
        broken = prepare(task, self._parts, self._tries(task, None, "image"))
        self._store.event(
            "image",
            task_id=task.id,
            seconds=round(time.monotonic() - begun, 3),
            fault=broken[1] if broken else None,
        )
        return broken

    def _refuse_to_begin(self) -> None:
        if self._stopping.is_set() or self._gone is not None:
            raise CancelledError

    def _roll_out(self, todo: Todo, queued: float, graders: ThreadPoolExecutor) -> None:
        task, attempt, retries = todo.task, todo.attempt, todo.retries
        if not self._images[task.id].result() and not todo.rolled:
            tries = self._tries(task, attempt, "rollout")
            while (rolled := self._try(todo, queued)).fault is not None:
                self._refuse_interrupted(rolled)
                # Before the wait for another try: a kill meanwhile does not forget this one.
                finished = self._store_broken(replace(todo, retries=retries), rolled)
                if not tries.again(rolled.fault, rolled.detail):
                    self._refuse_interrupted(rolled)
                    self._end(task, finished)
                    return
                retries += 1
            self._refuse_interrupted(rolled)
            self._store.roll_out(rolled)
        self._watcher.changed(task.id, attempt, "grading")
        with self._changed:
            self._under_way["grading"] += 1
        graders.submit(self._guarded, "grading", self._grade, replace(todo, retries=retries))

    def _try(self, todo: Todo, queued: float) -> RolledOut:
        task, attempt = todo.task, todo.attempt
        with self._admission.slot():
            queue_s = time.monotonic() - queued
            self._watcher.changed(task.id, attempt, "rollout")
            self._store.event("rollout", task_id=task.id, attempt=attempt)
            record = self._recorder(task, attempt)
            return roll_out(task, attempt, self._parts, record, queue_s=queue_s)

    def _refuse_interrupted(self, rolled: RolledOut) -> None:
        """Drop a rollout that was cut short as the run is being stopped: it is made anew later."""
        submission = rolled.submission
        if self._stopping.is_set() and submission.stop is StopReason.INTERRUPTED:
            task_id, attempt = submission.task_id, submission.attempt
            self._store.event("interrupted", task_id=task_id, attempt=attempt)
            raise CancelledError

    def _grade(self, todo: Todo) -> None:
        rolled = self._rolled(todo)
        graded = self._graded(todo, rolled)
        finished = conclude(todo.task, rolled, graded, self._parts, retries=todo.retries)
        self._store.finish(finished)
        self._end(todo.task, finished)

    def _rolled(self, todo: Todo) -> RolledOut:
        """Read a rollout back, so that those that wait for their grading take no memory."""
        broken = self._images[todo.task.id].result()
        if broken:
            return no_rollout(todo.task, todo.attempt, *broken)
        rolled = self._store.rolled_out(todo.task.id, todo.attempt)
        if rolled is None:
            raise StoreError(f"the rollout of {todo.task.id} #{todo.attempt} is gone from the run")
        return rolled

    def _end(self, task: Task, finished: Finished) -> None:
        """Tell of an attempt that ended; with a task's last, its image goes."""
        result = finished.result
        self._store.event("graded", task_id=task.id, attempt=result.attempt, outcome=result.outcome)
        self._watcher.finished(finished)
        with self._changed:
            self._left[task.id] -= 1
            last = not self._left[task.id]
        if last and not self._plan.keep_images:
            self._give_back(task)

    def _graded(self, todo: Todo, rolled: RolledOut) -> Graded:
        """Grade while nothing is away, or again: a full disk makes tests fail, too.

        Raises CancelledError where it is to be graded when the run goes on.
        """
        tries = self._tries(todo.task, todo.attempt, "grading")
        while True:
            self.boundaries.await_all()
            absences = self.boundaries.absences
            if self._stopping.is_set() or self._late.is_set():
                raise CancelledError
            graded = grade(todo.task, rolled, self._parts, tries)
            disturbed = self.boundaries.absences != absences
            if disturbed and tries.again(Fault.DISK, "something was away"):
                continue
            if self._stopping.is_set() and (disturbed or graded.evidence.fault is not None):
                raise CancelledError
            return graded

    def _store_broken(self, todo: Todo, rolled: RolledOut) -> Finished:
        """Store a try that broke; there is nothing to grade."""
        graded = grade(todo.task, rolled, self._parts, self._tries(todo.task, None, ""))
        finished = conclude(todo.task, rolled, graded, self._parts, retries=todo.retries)
        self._store.finish(finished)
        return finished

    def _tries(self, task: Task, attempt: int | None, what: str) -> BoundedTries:
        def note(why: str) -> None:
            self._store.event("again", task_id=task.id, attempt=attempt, what=what, why=why)

        return BoundedTries(self.boundaries, self._stopping, note, self._plan.pauses_s)

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
                self._watcher.changed(task.id, attempt, f"turn {line['turn']}")

        return record

"""The status of a real campaign, read while it is in the middle of its attempts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from evalkit.campaign import Boundaries, Campaign, Plan, Todo
from evalkit.protocols import Job, JobResult
from evalkit.reporting.status import Doing, State, read_status
from evalkit.serving.admission import Gate
from evalkit.store import RunFolder
from evalkit.types import Evidence, Submission, Task
from tests.doubles.campaign import FakeParts, parts_of, submit
from tests.doubles.tasks import make_task


@dataclass
class Held(FakeParts):
    """Each rollout of task `b`, and each grading, waits until it may go on."""

    rolling: Event = field(default_factory=Event)
    grading: Event = field(default_factory=Event)
    may: Event = field(default_factory=Event)

    def collect(self, task: Task, patch: str, run: Callable[[Job], JobResult]) -> Evidence:
        self.grading.set()
        self.may.wait()
        return super().collect(task, patch, run)

    def roll(self, task: Task, attempt: int) -> Submission:
        if task.id == "b":
            self.rolling.set()
            self.may.wait()
        return submit(task, attempt)


@contextmanager
def under_way(path: Path) -> Iterator[None]:
    """A real campaign, stopped in the middle: `a` in its grading, `b` in its rollout."""
    held = Held()
    held.solve_with = held.roll
    todo = [Todo(task=make_task(id=name), attempt=1) for name in "ab"]
    with RunFolder(path) as folder:
        folder.describe(selected=["a", "b"], attempts=1, suite="s", command="")
        folder.event("began")
        gate = Gate(2, Event(), folder.event)
        campaign = Campaign(
            Plan(todo=todo, rollouts=2, gradings=1, pauses_s=()),
            parts_of(held),
            folder,
            held,
            admission=gate,
            boundaries=Boundaries({}, gate, gate.stopping),
            stopping=gate.stopping,
        )
        thread = Thread(target=campaign.run)
        thread.start()
        try:
            held.rolling.wait()
            held.grading.wait()
            yield
        finally:
            held.may.set()
            thread.join()


def test_what_a_campaign_does_is_seen_while_it_does_it(tmp_path: Path) -> None:
    with under_way(tmp_path):
        seen = {one.task_id: one.doing for one in read_status(tmp_path).under_way}
    assert seen == {"a": Doing.GRADING, "b": Doing.ROLLOUT}


def test_a_campaign_at_its_end_is_complete(tmp_path: Path) -> None:
    with under_way(tmp_path):
        pass
    status = read_status(tmp_path)
    assert (status.state, status.finished, status.under_way) == (State.COMPLETE, 2, ())

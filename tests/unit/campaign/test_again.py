"""What broke for no fault of the agent's is begun again, so often and no more."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from threading import Event, Timer

import pytest

from evalkit.campaign import Todo
from evalkit.errors import EngineError, ImageError, SandboxError, StoreError
from evalkit.types import Outcome, RolledOut, Submission, Task
from tests.doubles.campaign import FakeParts, Solve, campaign, submit
from tests.doubles.tasks import make_task


def breaks(times: int) -> Solve:
    tries = count(1)

    def solve(task: Task, attempt: int) -> Submission:
        time.sleep(0.005)  # past the moment for which one look at the boundaries serves all
        if next(tries) <= times:
            raise SandboxError("the container is gone")
        return submit(task, attempt)

    return solve


def test_a_rollout_that_broke_is_begun_again() -> None:
    fake = FakeParts(solve_with=breaks(2))
    campaign(fake, count=1).run()
    assert fake.stored[-1].outcome is Outcome.RESOLVED


def test_the_tries_that_broke_are_kept() -> None:
    fake = FakeParts(solve_with=breaks(2))
    campaign(fake, count=1).run()
    assert [(one.outcome, one.retry) for one in fake.stored] == [
        (Outcome.INFRA_ERROR, 0),
        (Outcome.INFRA_ERROR, 1),
        (Outcome.RESOLVED, 2),
    ]


def test_a_try_that_broke_is_kept_before_the_wait_for_another() -> None:
    fake = FakeParts(solve_with=breaks(1))
    kept: list[int] = []
    campaign(fake, count=1, checks={"docker": lambda: kept.append(len(fake.stored))}).run()
    assert kept[0] == 1


def test_the_last_try_that_broke_is_kept_once() -> None:
    fake = FakeParts(solve_with=breaks(99))
    campaign(fake, count=1).run()
    assert [one.retry for one in fake.stored] == [0, 1, 2]


def test_of_an_attempt_that_was_begun_again_the_user_hears_once() -> None:
    fake = FakeParts(solve_with=breaks(2))
    campaign(fake, count=1).run()
    assert [one.outcome for one in fake.ended] == [Outcome.RESOLVED]


def test_after_as_many_tries_as_there_are_pauses_it_is_an_infra_error() -> None:
    fake = FakeParts(solve_with=breaks(99))
    campaign(fake, count=1).run()
    assert [(one.outcome, one.retry) for one in fake.ended] == [(Outcome.INFRA_ERROR, 2)]


@pytest.mark.row("I5")
def test_no_model_is_asked_again_for_a_patch_that_does_not_resolve() -> None:
    fake = FakeParts(unresolved=True)
    campaign(fake, count=1).run()
    assert [(one.outcome, one.retry) for one in fake.stored] == [(Outcome.UNRESOLVED, 0)]


def test_a_broken_try_keeps_no_rollout() -> None:
    fake = FakeParts(solve_with=breaks(99))
    campaign(fake, count=1).run()
    assert fake.kept == []


def test_an_image_that_could_not_be_had_is_tried_again() -> None:
    fake = FakeParts(prepare_errors=[SandboxError("no daemon")] * 2)
    campaign(fake, count=1).run()
    assert [one.outcome for one in fake.ended] == [Outcome.RESOLVED]


def test_an_image_that_there_is_none_of_is_not_asked_for_again() -> None:
    fake = FakeParts(prepare_errors=[ImageError("no such image")])
    campaign(fake, count=1).run()
    assert [one.outcome for one in fake.ended] == [Outcome.INFRA_ERROR]


def away(times: int) -> Callable[[], str | None]:
    looks = count(1)
    return lambda: "it does not answer" if next(looks) <= times else None


def test_an_absent_daemon_costs_no_try() -> None:
    looks = count()
    # Away at every other look, so that each break of a rollout is laid to it.
    check = {"docker": lambda: None if next(looks) % 2 else "it does not answer"}
    fake = FakeParts(solve_with=breaks(6))
    campaign(fake, count=1, checks=check).run()
    assert fake.ended[-1].outcome is Outcome.RESOLVED


def test_nothing_begins_while_the_daemon_is_away() -> None:
    fake = FakeParts()
    run = campaign(fake, count=1, checks={"docker": away(3)})
    with run.boundaries:
        run.run()
    events = [event for event in fake.events if event in {"paused", "resumed", "rollout"}]
    assert events == ["paused", "resumed", "rollout"]


def test_of_a_rollout_that_ended_before_only_the_grading_is_left() -> None:
    task = make_task()
    fake = FakeParts(solve_with=breaks(99))
    fake.roll_out(RolledOut(submission=submit(task, 1), queue_s=7.0))
    campaign(fake, todo=[Todo(task=task, attempt=1, rolled=True)]).run()
    assert [(one.outcome, one.queue_s) for one in fake.ended] == [(Outcome.RESOLVED, 7.0)]


def test_a_rollout_that_was_there_and_is_gone_is_told() -> None:
    run = campaign(FakeParts(), todo=[Todo(task=make_task(), attempt=1, rolled=True)])
    with pytest.raises(StoreError, match="the rollout of demo #1 is gone"):
        run.run()


def test_the_tries_of_an_earlier_session_are_counted_on() -> None:
    task = make_task()
    fake = FakeParts()
    campaign(fake, todo=[Todo(task=task, attempt=1, retries=2)]).run()
    assert [one.retry for one in fake.ended] == [2]


def test_an_engine_that_failed_one_request_fails_one_try() -> None:
    tries = count()

    def solve(task: Task, attempt: int) -> Submission:
        if next(tries) == 0:
            raise EngineError("answered nonsense")
        return submit(task, attempt)

    fake = FakeParts(solve_with=solve)
    campaign(fake, count=2).run()
    assert {one.outcome for one in fake.ended} == {Outcome.RESOLVED}


@dataclass
class Disk:
    """A boundary that is full or has room."""

    full: bool = False

    def __call__(self) -> str | None:
        return "full" if self.full else None

    def fill(self) -> None:
        """Be full for long enough to be seen."""
        self.full = True
        Timer(0.2, self.clear).start()
        time.sleep(0.1)

    def clear(self) -> None:
        self.full = False


def on(disk: Disk, fake: FakeParts, *todo: Todo, stopping: Event | None = None) -> None:
    """Run one attempt whose disk is watched."""
    run = campaign(fake, count=1, todo=todo, stopping=stopping, checks={"disk": disk})
    with run.boundaries:
        run.run()


def test_what_was_graded_as_the_disk_was_full_is_graded_again() -> None:
    disk, times = Disk(), count()
    fake = FakeParts()
    fake.while_collecting = lambda: disk.fill() if next(times) == 0 else None
    on(disk, fake)
    assert len(fake.collected) == 2


def test_no_grading_begins_while_the_disk_is_full() -> None:
    task, disk = make_task(), Disk()
    seen: list[bool] = []
    fake = FakeParts(while_collecting=lambda: seen.append(disk.full))
    fake.roll_out(RolledOut(submission=submit(task, 1)))
    disk.fill()
    on(disk, fake, Todo(task=task, attempt=1, rolled=True))
    assert seen == [False]


def test_what_was_graded_on_a_full_disk_as_the_run_was_stopped_is_no_result() -> None:
    disk, stopping = Disk(), Event()

    def fill() -> None:
        disk.fill()
        stopping.set()

    fake = FakeParts(while_collecting=fill)
    on(disk, fake, stopping=stopping)
    assert (len(fake.collected), fake.stored) == (1, [])


def test_a_rollout_that_broke_as_the_run_was_stopped_is_no_broken_try() -> None:
    stopping = Event()

    def solve(task: Task, attempt: int) -> Submission:
        stopping.set()
        raise EngineError("the run is being stopped")

    fake = FakeParts(solve_with=solve)
    campaign(fake, count=1, stopping=stopping).run()
    assert fake.stored == []

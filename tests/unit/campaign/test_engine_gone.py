"""A run whose engine is lost for good: what was had is graded, the rest stays undone."""

import pytest

from evalkit.errors import EngineGoneError
from evalkit.types import Submission, Task
from tests.doubles.campaign import FakeParts, campaign, submit


def gone_from(first: int) -> FakeParts:
    def solve(task: Task, attempt: int) -> Submission:
        if int(task.id.removeprefix("task-")) >= first:
            raise EngineGoneError("the engine is gone")
        return submit(task, attempt)

    return FakeParts(solve_with=solve)


def test_the_run_ends_with_the_engines_error() -> None:
    with pytest.raises(EngineGoneError, match="the engine is gone"):
        campaign(gone_from(2), count=5).run()


def test_patches_that_were_had_by_then_are_graded() -> None:
    fake = gone_from(2)
    with pytest.raises(EngineGoneError):
        campaign(fake, count=5).run()
    assert sorted(result.task_id for result in fake.stored) == ["task-0", "task-1"]


def test_images_of_tasks_that_nobody_will_solve_are_not_waited_for() -> None:
    fake = gone_from(0)
    with pytest.raises(EngineGoneError):
        campaign(fake, count=40, keep_images=False).run()
    assert fake.most_here < 40


def test_nor_where_the_engine_went_before_a_rollout_began() -> None:
    fake = FakeParts()
    run = campaign(fake, count=40, keep_images=False, gone=True)
    with pytest.raises(EngineGoneError):
        run.run()
    assert fake.most_here < 40

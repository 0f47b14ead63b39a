"""What a run that is gone on with has left to do."""

from hashlib import sha256

from evalkit.attempt import attempt_key
from evalkit.campaign import Todo, left_to_do
from evalkit.types import Outcome, Result, RolledOut, Task
from tests.doubles.campaign import FakeParts, parts_of, submit
from tests.doubles.tasks import make_result, make_task

PARTS = parts_of(FakeParts())
TASK = make_task()


class PastRun:
    """What a folder holds of one attempt."""

    def __init__(self, result: Result | None = None, rolled: RolledOut | None = None) -> None:
        self._result, self._rolled = result, rolled

    def results(self) -> dict[tuple[str, int], Result]:
        return {(self._result.task_id, self._result.attempt): self._result} if self._result else {}

    def patch(self, result: Result) -> str:
        return "p"

    def rolled_out(self, task_id: str, attempt: int) -> RolledOut | None:
        return self._rolled


def graded(outcome: Outcome = Outcome.UNRESOLVED, retry: int = 0) -> Result:
    patch_sha256 = sha256(b"p").hexdigest()
    key = attempt_key(TASK, patch_sha256, "sha256:1", PARTS)
    return make_result(key=key, patch_sha256=patch_sha256, outcome=outcome, retry=retry)


ROLLED = RolledOut(submission=submit(TASK, 1))


def left(past: PastRun, task: Task = TASK, digest: str | None = None) -> list[Todo]:
    return left_to_do([(task, 1)], past, PARTS, lambda _: digest)


def test_of_a_new_run_everything() -> None:
    assert left(PastRun()) == [Todo(task=TASK, attempt=1)]


def test_of_a_finished_attempt_nothing() -> None:
    assert left(PastRun(graded(), ROLLED)) == []


def test_of_an_attempt_that_infrastructure_broke_another_try() -> None:
    past = PastRun(graded(Outcome.INFRA_ERROR, retry=2))
    assert left(past) == [Todo(task=TASK, attempt=1, retries=3)]


def test_of_an_attempt_whose_rollout_ended_its_grading() -> None:
    assert left(PastRun(rolled=ROLLED)) == [Todo(task=TASK, attempt=1, rolled=True)]


def test_of_an_attempt_whose_image_is_another_by_now_its_grading() -> None:
    assert [one.rolled for one in left(PastRun(graded(), ROLLED), digest="sha256:2")] == [True]


def test_of_an_attempt_whose_image_is_the_same_nothing() -> None:
    assert left(PastRun(graded(), ROLLED), digest="sha256:1") == []


def test_of_a_task_that_is_another_by_now_its_grading() -> None:
    changed = make_task(pass_to_pass=("tests/test_a.py::test_other",))
    assert len(left(PastRun(graded(), ROLLED), changed)) == 1

"""Texts of agents that no file can hold cost neither the run nor the attempt."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import JsonValue

from evalkit.errors import SandboxError
from evalkit.protocols import Message
from evalkit.store import RunFolder
from evalkit.types import Finished, Flag, Outcome, Result, RolledOut, Submission, Task
from tests.doubles.campaign import FakeParts, campaign, submit

HALF = "+\ud83d \0 é\n"


def hands_in_half_a_character(task: Task, attempt: int) -> Submission:
    return submit(task, attempt).model_copy(update={"patch": HALF})


def test_a_patch_with_half_a_character_is_graded() -> None:
    fake = FakeParts(solve_with=hands_in_half_a_character)
    campaign(fake, count=1).run()
    assert [one.outcome for one in fake.ended] == [Outcome.RESOLVED]


def test_a_patch_with_half_a_character_is_kept_as_it_was_graded() -> None:
    fake = FakeParts(solve_with=hands_in_half_a_character)
    campaign(fake, count=1).run()
    assert [one.submission.patch for one in fake.kept] == fake.collected == ["+? \0 é\n"]


class WrittenParts(FakeParts):
    """Parts whose store is a run folder."""

    folder: RunFolder

    def event(self, kind: str, **facts: JsonValue) -> None:
        self.folder.event(kind, **facts)

    def trajectory(self, task_id: str, attempt: int) -> Callable[[Message], None]:
        return self.folder.trajectory(task_id, attempt)

    def roll_out(self, rolled: RolledOut) -> None:
        self.folder.roll_out(rolled)

    def rolled_out(self, task_id: str, attempt: int) -> RolledOut | None:
        return self.folder.rolled_out(task_id, attempt)

    def finish(self, finished: Finished) -> None:
        self.folder.finish(finished)


def written(path: Path, parts: WrittenParts) -> tuple[Result, str]:
    """Return the result and the patch that the run folder then holds of one attempt."""
    with RunFolder(path) as parts.folder:
        campaign(parts, count=1).run()
        (result,) = parts.folder.results().values()
        return result, parts.folder.patch(result)


@pytest.mark.parametrize("patch", [HALF, "\0", "\r\n\u2028", "\ufeff+"])
def test_a_patch_that_was_graded_is_the_one_in_the_folder(tmp_path: Path, patch: str) -> None:
    def solve(task: Task, attempt: int) -> Submission:
        return submit(task, attempt).model_copy(update={"patch": patch})

    parts = WrittenParts(solve_with=solve)
    assert [written(tmp_path, parts)[1]] == parts.collected


def test_a_fault_in_words_that_no_file_can_hold_is_kept(tmp_path: Path) -> None:
    def breaks(task: Task, attempt: int) -> Submission:
        raise SandboxError("cannot read /repo/\udcff")

    result, _ = written(tmp_path, WrittenParts(solve_with=breaks))
    assert result.error == "cannot read /repo/?"


def test_commands_with_half_a_character_are_audited(tmp_path: Path) -> None:
    parts = WrittenParts(calls=["curl http://\ud83d.example.com\0", "git reflog \udcff"])
    result, _ = written(tmp_path, parts)
    assert set(result.flags) == {Flag.NETWORK_ATTEMPT, Flag.GIT_ARCHAEOLOGY}

"""Honest patches get the verdict they deserve."""

from collections.abc import Callable

import pytest

from evalkit.grading.judge import judge
from evalkit.grading.tamper import flag_patch
from evalkit.protocols import Suite
from evalkit.sandbox.containers import DockerContainers
from evalkit.types import Applied, Canary, Evidence, Outcome, Task

FIX = "sed -i 's/if seconds > size/if seconds >= size/' durations/formatting.py"


@pytest.mark.row("B1", "B2", "B4", "B9")
def test_the_gold_patch_resolves(outcome: Callable[[str], Outcome], task: Task) -> None:
    assert outcome(task.gold_patch) is Outcome.RESOLVED


@pytest.mark.row("B8", "B15")
def test_the_gold_patch_has_no_flag(task: Task) -> None:
    assert flag_patch(task, task.gold_patch) == ()


def test_a_fix_made_in_a_sandbox_resolves(
    outcome: Callable[[str], Outcome], patch_of: Callable[..., str]
) -> None:
    assert outcome(patch_of(command=FIX)) is Outcome.RESOLVED


def test_a_fix_that_the_agent_committed_resolves(
    outcome: Callable[[str], Outcome], patch_of: Callable[..., str]
) -> None:
    assert outcome(patch_of(command=f"{FIX} && git commit -qam fix")) is Outcome.RESOLVED


def test_an_empty_patch_is_no_patch(outcome: Callable[[str], Outcome]) -> None:
    assert outcome("") is Outcome.NO_PATCH


def test_a_patch_for_other_content_is_rejected(
    outcome: Callable[[str], Outcome], task: Task
) -> None:
    assert outcome(task.gold_patch.replace("seconds", "minutes")) is Outcome.PATCH_REJECTED


def test_a_patch_without_its_final_newline_is_rejected(
    outcome: Callable[[str], Outcome], task: Task
) -> None:
    assert outcome(task.gold_patch.rstrip("\n")) is Outcome.PATCH_REJECTED


def test_half_a_patch_is_not_applied(
    grade: Callable[[str], Evidence], task: Task, patch_of: Callable[..., str]
) -> None:
    bad = task.gold_patch.replace("formatting.py", "nowhere.py")
    assert grade(task.gold_patch + bad).applied is Applied.REJECTED


def test_prose_is_rejected(outcome: Callable[[str], Outcome]) -> None:
    assert outcome("I have fixed the bug.\n") is Outcome.PATCH_REJECTED


@pytest.mark.row("B7")
def test_the_test_that_must_fail_fails(grade: Callable[[str], Evidence], task: Task) -> None:
    assert grade(task.gold_patch).canary is Canary.FAILED


def test_a_test_that_hangs_is_a_timeout(
    suite: Suite,
    task: Task,
    patch_of: Callable[..., str],
    containers: DockerContainers,
) -> None:
    short = task.model_copy(update={"limits": task.limits.model_copy(update={"seconds": 3})})
    hang = patch_of({"durations/formatting.py": "\nimport time\ntime.sleep(600)\n"})
    assert judge(short, suite.collect(short, hang, containers.run)).outcome is Outcome.TEST_TIMEOUT


def test_broken_code_is_unresolved(
    outcome: Callable[[str], Outcome], patch_of: Callable[..., str]
) -> None:
    broken = patch_of({"durations/formatting.py": "\nraise ValueError\n"})
    assert outcome(broken) is Outcome.UNRESOLVED

"""Honest patches get the official verdict, whatever the shape of run script and parser."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from evalkit.grading.judge import judge
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.images import Images
from evalkit.suites.pro.suite import ProSuite
from evalkit.types import Applied, Canary, Evidence, Fault, Flag, Outcome, Task, TestStatus
from tests.doubles.pro import SHAPES, history

Grade = Callable[..., Evidence]
Conclude = Callable[..., Outcome]

BINARY = "diff --git a/logo.png b/logo.png\nindex 1111111..2222222 100644\nGIT binary patch\n"


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gold_patch_comes_to_what_the_shape_says(shape: str, outcome: Conclude) -> None:
    assert outcome(history().patch, shape) is SHAPES[shape].gold


@pytest.mark.parametrize("shape", ["last-wins", "any-wins", "aborting", "blob", "on-stderr"])
def test_an_empty_patch_is_no_patch(shape: str, outcome: Conclude) -> None:
    assert outcome("", shape) is Outcome.NO_PATCH


def test_the_tests_of_the_solution_are_run(grade: Grade) -> None:
    assert "tests/test_names.py::test_label[four" in grade("").statuses


def test_a_patch_without_its_final_newline_is_rejected(grade: Grade, gold: str) -> None:
    assert grade(gold.rstrip("\n")).applied is Applied.REJECTED


def test_tests_run_though_the_patch_was_rejected(grade: Grade, gold: str) -> None:
    statuses = grade(gold.rstrip("\n")).statuses
    assert statuses["tests/test_area.py::test_four"] is TestStatus.PASSED


def test_the_words_of_git_are_kept(grade: Grade, gold: str) -> None:
    assert "corrupt patch" in grade(gold.rstrip("\n")).apply_log


def test_a_patch_for_other_content_is_rejected(outcome: Conclude, gold: str) -> None:
    assert outcome(gold.replace("side * 4", "side * 5")) is Outcome.PATCH_REJECTED


def test_gold_and_a_binary_section_resolve(outcome: Conclude, gold: str) -> None:
    assert outcome(gold + BINARY + "literal 0\nHcmV?d00001\n\n") is Outcome.RESOLVED


def test_gold_without_one_of_its_files_is_unresolved(outcome: Conclude, gold: str) -> None:
    assert outcome(gold[: gold.index("diff --git a/shapes/names.py")]) is Outcome.UNRESOLVED


def test_a_script_that_aborts_leaves_later_entries_missing(grade: Grade, gold: str) -> None:
    only_names = gold[gold.index("diff --git a/shapes/names.py") :]
    statuses = grade(only_names, "aborting").statuses
    assert not any(name.startswith("tests/test_names.py") for name in statuses)


def test_edits_of_the_selected_tests_are_overwritten(
    outcome: Conclude, patch_of: Callable[..., str]
) -> None:
    weak = "echo 'def test_three(): pass' > tests/test_area.py; cp tests/test_area.py tests/test_names.py"
    assert outcome(patch_of(command=weak)) is Outcome.UNRESOLVED


def test_a_patch_with_other_line_ends_goes_as_git_says(outcome: Conclude, gold: str) -> None:
    assert outcome(gold.replace("\n", "\r\n")) is Outcome.PATCH_REJECTED


def test_a_file_with_other_line_ends_is_patched(
    outcome: Conclude, gold: str, patch_of: Callable[..., str]
) -> None:
    fix = {"shapes/area.py": "\r\ndef square(side):\r\n    return side * side\r\n"}
    added = patch_of(fix, "sed -i '3s/.*/NAMES = {3: 1, 4: 2}/' shapes/names.py")
    assert outcome(added) is Outcome.RESOLVED


def test_a_renamed_file_with_a_blank_in_its_name_is_patched(outcome: Conclude, gold: str) -> None:
    renamed = (
        "diff --git a/tests/test_area.py b/tests/a b.py\nsimilarity index 100%\n"
        "rename from tests/test_area.py\nrename to tests/a b.py\n"
    )
    assert outcome(gold + renamed) is Outcome.RESOLVED


def test_the_streams_are_the_run_scripts_alone(grade: Grade, gold: str) -> None:
    evidence = grade(gold, "on-stderr")
    assert (evidence.stdout, evidence.stderr) == ("--- PASS: TestLabel\n", "--- PASS: TestLabel\n")


def test_no_canary_is_used(grade: Grade, gold: str) -> None:
    assert grade(gold).canary is Canary.UNUSED


def test_the_image_is_on_record(grade: Grade, gold: str) -> None:
    assert grade(gold).image_digest.startswith("sha256:")


def test_gold_earns_no_flag(grade: Grade, gold: str) -> None:
    assert Flag.OUTPUT_TRUNCATED not in grade(gold).flags


def test_a_test_that_hangs_is_a_timeout(
    suite: ProSuite, task_of: Callable[[str], Task], containers: DockerContainers, gold: str
) -> None:
    task = task_of("last-wins")
    short = task.model_copy(update={"limits": task.limits.model_copy(update={"seconds": 3})})
    hang = gold.replace("side * side", "__import__('time').sleep(600)")
    evidence = suite.collect(short, hang, containers.run)
    assert judge(short, evidence).outcome is Outcome.TEST_TIMEOUT


def test_a_repository_without_its_base_is_a_fault_of_the_image(
    suite: ProSuite, task_of: Callable[[str], Task], containers: DockerContainers, gold: str
) -> None:
    lost = task_of("last-wins").model_copy(update={"base_commit": "0" * 40})
    assert suite.collect(lost, gold, containers.run).fault is Fault.IMAGE


def test_what_an_image_changed_in_the_repository_is_reset(
    suite: ProSuite,
    task_of: Callable[[str], Task],
    containers: DockerContainers,
    images: Images,
    gold: str,
) -> None:
    task, ref = task_of("last-wins"), "evalkit-test/changed:1"
    images.build(ref, f"FROM {task.image}\nRUN echo x >>/app/shapes/area.py\n", {}, lambda _: None)
    changed = task.model_copy(update={"image": ref})
    evidence = suite.collect(changed, gold, containers.run)
    containers.settle(ref)
    images.remove(ref)
    assert judge(changed, evidence).outcome is Outcome.RESOLVED


def test_two_gradings_at_once_do_not_meet(
    suite: ProSuite, task_of: Callable[[str], Task], containers: DockerContainers, gold: str
) -> None:
    task = task_of("last-wins")
    with ThreadPoolExecutor(2) as pool:
        graded = pool.map(lambda patch: suite.collect(task, patch, containers.run), [gold, ""])
        assert [judge(task, one).outcome for one in graded] == [Outcome.RESOLVED, Outcome.NO_PATCH]

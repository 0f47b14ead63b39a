"""The grading job and how its result is read."""

from typing import Any

from evalkit.protocols import JobResult
from evalkit.suites.pytest_job import grading_job, read_evidence
from evalkit.types import Applied, Canary, Fault
from tests.doubles.tasks import make_task

NONCE = "0123456789abcdef"
RESULTS = f"/evalkit-{NONCE}/junit.xml"
CANARY = f"tests/test_{NONCE}.py"


def junit(canary: str) -> bytes:
    return (
        '<testsuites><testcase file="tests/test_a.py" classname="tests.test_a" name="test_new"/>'
        f'<testcase file="{CANARY}" classname="tests.test_{NONCE}" name="test_{NONCE}">{canary}'
        "</testcase></testsuites>"
    ).encode()


def result(**changes: Any) -> JobResult:
    facts: dict[str, Any] = {
        "exit_code": 1,
        "timed_out": False,
        "oom_killed": False,
        "seconds": 1.0,
        "stdout": b"clean\nhello\n",
        "stderr": b"",
        "truncated": False,
        "collected": {RESULTS: junit("<failure/>")},
        "image_digest": "sha256:1",
    }
    return JobResult(**(facts | changes))


def test_hidden_tests_are_placed_outside_the_repository() -> None:
    job = grading_job(make_task(), "", {"tests/test_a.py": b"x"}, NONCE)
    assert job.files["/evalkit/tests/tests/test_a.py"] == b"x"


def test_the_canary_is_among_the_files_to_run() -> None:
    job = grading_job(make_task(), "", {}, NONCE)
    assert f"set -- tests/test_a.py {CANARY}" in job.script


def test_the_first_line_says_whether_the_patch_applied() -> None:
    assert read_evidence(make_task(), result(), NONCE).applied is Applied.CLEAN


def test_the_first_line_is_not_part_of_the_log() -> None:
    assert read_evidence(make_task(), result(), NONCE).stdout == "hello\n"


def test_a_canary_that_failed_is_as_it_should_be() -> None:
    assert read_evidence(make_task(), result(), NONCE).canary is Canary.FAILED


def test_a_canary_that_passed_is_seen() -> None:
    forged = result(collected={RESULTS: junit("")})
    assert read_evidence(make_task(), forged, NONCE).canary is Canary.PASSED


def test_without_a_results_file_the_canary_is_missing() -> None:
    gone = result(collected={RESULTS: None})
    assert read_evidence(make_task(), gone, NONCE).canary is Canary.MISSING


def test_a_repository_that_cannot_be_reset_is_a_fault_of_the_image() -> None:
    broken = result(stdout=b"", stderr=b"fatal: bad object", exit_code=90)
    assert read_evidence(make_task(), broken, NONCE).fault is Fault.IMAGE


def test_a_grader_killed_for_memory_is_a_fault() -> None:
    assert read_evidence(make_task(), result(oom_killed=True), NONCE).fault is Fault.GRADER_OOM


def test_text_that_tested_code_prints_is_no_fault() -> None:
    printed = result(stdout=b"clean\nKilled\nNo space left on device\nCannot allocate memory\n")
    assert read_evidence(make_task(), printed, NONCE).fault is None


def test_invalid_bytes_in_the_log_are_replaced() -> None:
    assert read_evidence(make_task(), result(stdout=b"clean\n\xff"), NONCE).stdout == "\ufffd"

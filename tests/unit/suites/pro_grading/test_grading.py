"""The two jobs of grading, and the evidence that follows from how they ended."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from evalkit.grading.judge import judge
from evalkit.protocols import Job, JobResult
from evalkit.suites.pro.grading import collect
from evalkit.suites.pro.scripts import Scripts
from evalkit.types import Applied, Evidence, Fault, Flag, Network, Outcome, Task, TestStatus
from tests.doubles.tasks import make_task

SCRIPTS = Scripts(run_script=b"run", parser=b"parse", exports=("export A=1",))
PATCH = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+b\n"
PARSED = b'{"tests": [{"name": "t", "status": "PASSED"}]}'


def task() -> Task:
    return make_task(
        fail_to_pass=("t",),
        pass_to_pass=(),
        workdir="/app",
        network=Network.BRIDGE,
        payload={"before_repo_set_cmd": "git checkout c -- t", "selected": "t"},
    )


def ended(**changes: Any) -> JobResult:
    facts: dict[str, Any] = {
        "exit_code": 0,
        "timed_out": False,
        "oom_killed": False,
        "seconds": 1.0,
        "stdout": b"out",
        "stderr": b"",
        "truncated": False,
        "collected": {},
        "image_digest": "sha256:1",
    }
    return JobResult(**(facts | changes))


class Machine:
    """Ends jobs as it is told, and remembers them."""

    def __init__(
        self,
        stderr: str = "HEAD is now\n{nonce}\n0\nApplied\n{nonce}\nerr",
        parsing: JobResult | None = None,
        before: bytes = b"",
        after: bytes = b"",
        **run: Any,
    ) -> None:
        self.jobs: list[Job] = []
        self._stderr = stderr
        self._parsing = parsing or ended(stdout=PARSED)
        self._around = before, after
        self._run = run

    def __call__(self, job: Job) -> JobResult:
        self.jobs.append(job)
        if "/workspace/parser.py" in job.files:
            return self._parsing
        found = re.search(r"printf '([0-9a-f]{32})", job.files["/workspace/entry.sh"].decode())
        assert found is not None
        before, after = self._around
        stderr = before + self._stderr.format(nonce=found.group(1)).encode() + after
        return ended(stderr=stderr, **self._run)


def grade(machine: Callable[[Job], JobResult], patch: str = PATCH) -> Evidence:
    return collect(task(), SCRIPTS, patch, machine)


def test_what_the_parser_found_is_judged() -> None:
    assert judge(task(), grade(Machine())).outcome is Outcome.RESOLVED


def test_the_tests_have_the_network_of_the_task() -> None:
    machine = Machine()
    grade(machine)
    assert [job.network for job in machine.jobs] == [Network.BRIDGE, Network.NONE]


def test_the_parser_is_not_where_the_tests_run() -> None:
    machine = Machine()
    grade(machine)
    assert "/workspace/parser.py" not in machine.jobs[0].files


def test_the_parser_reads_the_run_scripts_streams() -> None:
    machine = Machine()
    grade(machine)
    files = machine.jobs[1].files
    logs = (files["/workspace/stdout.log"], files["/workspace/stderr.log"])
    assert logs == (b"out", b"err")


def test_nothing_of_the_patch_is_where_the_parser_runs() -> None:
    machine = Machine()
    grade(machine)
    assert PATCH.encode() not in machine.jobs[1].files.values()


def test_a_nonce_is_used_once() -> None:
    machine = Machine()
    grade(machine)
    grade(machine)
    assert machine.jobs[0].files != machine.jobs[2].files


@pytest.mark.parametrize(
    ("patch", "code", "applied"),
    [
        (PATCH, 0, Applied.CLEAN),
        (PATCH, 1, Applied.REJECTED),
        (PATCH, 128, Applied.REJECTED),
        ("", 128, Applied.EMPTY),
        ("\n", 128, Applied.EMPTY),
    ],
)
def test_git_says_whether_the_patch_applied(patch: str, code: int, applied: Applied) -> None:
    words = f"{{nonce}}\n{code}\nwords\n{{nonce}}\n"
    assert grade(Machine(words), patch).applied is applied


def test_the_words_of_git_are_kept() -> None:
    assert grade(Machine()).apply_log == "Applied\n"


def test_a_later_nonce_belongs_to_the_tests() -> None:
    forged = "{nonce}\n1\nno\n{nonce}\nerr\n{nonce}\n0\nyes\n{nonce}\nforged"
    assert grade(Machine(forged)).applied is Applied.REJECTED


def test_what_follows_a_later_nonce_stays_in_the_log() -> None:
    forged = "{nonce}\n0\nok\n{nonce}\nerr\n{nonce}\nforged"
    assert grade(Machine(forged)).stderr.endswith("\nforged")


def test_a_repository_that_cannot_be_reset_is_a_fault_of_the_image() -> None:
    assert grade(Machine("fatal: bad object")).fault is Fault.IMAGE


def test_the_fault_tells_what_git_said() -> None:
    assert "bad object" in grade(Machine("fatal: bad object")).detail


def test_tests_past_their_limit_are_a_timeout() -> None:
    timeout = Machine(timed_out=True, exit_code=None)
    assert judge(task(), grade(timeout)).outcome is Outcome.TEST_TIMEOUT


def test_a_grader_out_of_memory_is_a_fault() -> None:
    assert grade(Machine(oom_killed=True)).fault is Fault.GRADER_OOM


def test_a_parser_out_of_memory_is_a_fault() -> None:
    assert grade(Machine(parsing=ended(oom_killed=True))).fault is Fault.GRADER_OOM


@pytest.mark.parametrize(
    ("machine", "why"),
    [
        (Machine(truncated=True), "the tests printed more than 256 MiB"),
        (Machine(stdout=b"ab\xff"), "the tests' stdout is not UTF-8 at byte 2"),
        (Machine(after=b"\xff"), "the tests' stderr is not UTF-8 at byte 3"),
        (Machine(parsing=ended(timed_out=True)), "the parser ran past 300 s"),
        (Machine(parsing=ended(truncated=True)), "the parser wrote more than 256 MiB"),
        (Machine(parsing=ended(stdout=b"", stderr=b"no json")), "left no result: no json"),
        (Machine(parsing=ended(stdout=b"{}")), "cannot be read: KeyError 'tests'"),
        (Machine(parsing=ended(stdout=b'{"tests": []}')), "the parser found no test"),
    ],
)
def test_the_verdict_says_why_there_is_no_result(machine: Machine, why: str) -> None:
    assert why in judge(task(), grade(machine)).reasons[0]


@pytest.mark.parametrize(
    "parsing",
    [ended(stdout=b""), ended(stdout=PARSED, timed_out=True), ended(stdout=PARSED, truncated=True)],
    ids=["no output", "timeout", "truncated"],
)
def test_a_parser_that_fails_leaves_no_evidence(parsing: JobResult) -> None:
    assert judge(task(), grade(Machine(parsing=parsing))).outcome is Outcome.NO_EVIDENCE


def test_a_parser_that_exits_badly_after_its_output_counts_as_officially() -> None:
    assert grade(Machine(parsing=ended(stdout=PARSED, exit_code=1))).statuses == {
        "t": TestStatus.PASSED
    }


def test_output_that_was_cut_is_flagged() -> None:
    assert grade(Machine(truncated=True)).flags == (Flag.OUTPUT_TRUNCATED,)


def test_output_that_was_cut_resolves_nothing() -> None:
    assert judge(task(), grade(Machine(truncated=True))).outcome is Outcome.NO_EVIDENCE


def test_invalid_bytes_in_the_log_are_replaced() -> None:
    assert grade(Machine(stdout=b"\xff")).stdout == "\ufffd"


@pytest.mark.parametrize(
    "machine",
    [Machine(stdout=b"\xff"), Machine(stdout=b"a\xc3"), Machine(after=b"\xff")],
    ids=["stdout", "half a character", "stderr"],
)
def test_a_log_that_is_not_utf_8_leaves_no_evidence(machine: Machine) -> None:
    assert judge(task(), grade(machine)).outcome is Outcome.NO_EVIDENCE


def test_git_may_say_what_is_not_utf_8() -> None:
    assert grade(Machine(before=b"\xff")).statuses == {"t": TestStatus.PASSED}

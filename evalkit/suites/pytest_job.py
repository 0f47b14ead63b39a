"""Grading with pytest: the job that runs hidden tests over a patch, and what it proves.

What is defended: the patch cannot reach the runner's configuration (restored from base), the
interpreter's start-up (`-P`, start-up files removed), the results of another attempt (fresh
container) or a global rewrite of outcomes (a test of random name must fail). What is not: code
under test runs inside the test process and could report a chosen test as passed; such code has
to name the runner, and `grading.tamper` flags that.
"""

import hashlib
import secrets
import shlex
from importlib import resources
from pathlib import PurePosixPath

from evalkit.protocols import Job, JobResult
from evalkit.suites.junit import read_statuses
from evalkit.types import Applied, Canary, Evidence, Fault, Flag, Task, TestStatus

_TESTS = "/evalkit/tests"


def grading_job(task: Task, patch: str, hidden: dict[str, bytes], nonce: str) -> Job:
    """Build the job that grades `patch`; `hidden` maps repository paths to hidden test files."""
    canary = _canary_file(task, nonce)
    placed = dict(hidden) | {canary: _canary_source(nonce)}
    recipe = resources.files("evalkit.suites").joinpath("pytest_job.sh").read_text("utf-8")
    settings = {
        "WORKDIR": task.workdir,
        "BASE": task.base_commit,
        "TESTS": _TESTS,
        "RESULTS": _results(nonce),
    }
    lines = [f"{name}={shlex.quote(value)}" for name, value in settings.items()]
    lines.append("set -- " + " ".join(shlex.quote(file) for file in (*task.test_files, canary)))
    files = {f"{_TESTS}/{path}": content for path, content in placed.items()}
    return Job(
        image=task.image,
        script="\n".join([*lines, recipe]),
        workdir=task.workdir,
        files=files | {"/evalkit/patch.diff": patch.encode()},
        collect=(_results(nonce),),
        limits=task.limits,
        network=task.network,
        labels={"evalkit.task": task.id},
        heavy=True,
    )


def new_nonce() -> str:
    """Return a name that no patch can know beforehand."""
    return secrets.token_hex(8)


def read_evidence(task: Task, result: JobResult, nonce: str) -> Evidence:
    """Turn what the daemon reported into evidence."""
    first, _, stdout = result.stdout.partition(b"\n")
    statuses = read_statuses(result.collected.get(_results(nonce)) or b"")
    canary = statuses.pop(f"{_canary_file(task, nonce)}::test_{nonce}", None)
    stderr = result.stderr.decode("utf-8", "replace")
    known = first.decode("ascii", "replace") in set(Applied)
    fault = Fault.GRADER_OOM if result.oom_killed else None
    if not known and not result.timed_out and fault is None:
        fault = Fault.IMAGE
    return Evidence(
        applied=Applied(first.decode("ascii")) if known else Applied.REJECTED,
        apply_log=stderr if first == b"rejected" else "",
        statuses=statuses,
        exit_code=result.exit_code,
        timed_out=result.timed_out,
        seconds=result.seconds,
        stdout=stdout.decode("utf-8", "replace"),
        stderr=stderr,
        stdout_sha256=hashlib.sha256(stdout).hexdigest(),
        stderr_sha256=hashlib.sha256(result.stderr).hexdigest(),
        image_digest=result.image_digest,
        canary=_canary_state(canary),
        flags=(Flag.OUTPUT_TRUNCATED,) if result.truncated else (),
        fault=fault,
        detail=_detail(fault, result),
    )


def _detail(fault: Fault | None, result: JobResult) -> str:
    if fault is Fault.GRADER_OOM:
        return "the grading container was killed for lack of memory"
    if fault is Fault.IMAGE:
        return f"the repository could not be reset to base: {result.stderr[-500:].decode('utf-8', 'replace')}"
    return ""


def _results(nonce: str) -> str:
    return f"/evalkit-{nonce}/junit.xml"


def _canary_file(task: Task, nonce: str) -> str:
    folder = PurePosixPath(task.test_files[0]).parent
    return str(folder / f"test_{nonce}.py")


def _canary_source(nonce: str) -> bytes:
    return f"def test_{nonce}():\n    assert len({nonce!r}) == 0\n".encode()


def _canary_state(status: TestStatus | None) -> Canary:
    if status is None:
        return Canary.MISSING
    return Canary.FAILED if status is TestStatus.FAILED else Canary.PASSED

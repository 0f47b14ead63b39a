"""Grading an instance of SWE-bench Pro: run its script over the patch, then its own parser.

What is defended: the logs are the streams of the container's main process, and the parser reads
them in a clean container, so nothing that the patch leaves in the workspace (a results file, a
parser, another attempt's logs) reaches the verdict. What is not: code under test may print what
the parser looks for, as it officially may; `grading.tamper` flags what it can see of that.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from evalkit.protocols import Job, JobResult
from evalkit.suites.pro.entry import (
    PARSER,
    PATCH,
    RUN_SCRIPT,
    STDERR,
    STDOUT,
    WORKSPACE,
    entry_script,
    parse_script,
    strip_binary_sections,
)
from evalkit.suites.pro.scripts import Scripts
from evalkit.types import Applied, Evidence, Fault, Flag, Limits, Network, Task, TestStatus

PARSE_LIMITS = Limits(cpus=2, memory_mib=2048, pids=256, seconds=300)
"""The second CPU is for the container's start, which one CPU makes 0.1 s longer."""
OUTPUT_MIB = 256
"""Of each stream. The official evaluator has no limit; past this one there is no result."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def collect(task: Task, scripts: Scripts, patch: str, run: Callable[[Job], JobResult]) -> Evidence:
    """Grade `patch` in a fresh container and parse what it printed in another one."""
    content = strip_binary_sections(patch).encode()
    nonce = secrets.token_hex(16)
    result = run(_run_job(task, scripts, content, nonce))
    prelude = _divide(result.stderr, nonce)
    reading = _read(task, scripts, result, prelude, run)
    return Evidence(
        applied=_applied(content, prelude),
        apply_log=prelude.apply_log,
        statuses=reading.statuses,
        exit_code=result.exit_code,
        timed_out=result.timed_out,
        seconds=result.seconds,
        stdout=result.stdout.decode("utf-8", "replace"),
        stderr=prelude.stderr.decode("utf-8", "replace"),
        stdout_sha256=hashlib.sha256(result.stdout).hexdigest(),
        stderr_sha256=hashlib.sha256(prelude.stderr).hexdigest(),
        image_digest=result.image_digest,
        flags=(Flag.OUTPUT_TRUNCATED,) if result.truncated else (),
        fault=reading.fault,
        detail=reading.detail,
    )


def _run_job(task: Task, scripts: Scripts, patch: bytes, nonce: str) -> Job:
    entry = f"{WORKSPACE}/entry.sh"
    return Job(
        image=task.image,
        script=f"exec bash {entry}",
        workdir=task.workdir,
        files={
            entry: entry_script(task, scripts.exports, nonce).encode(),
            PATCH: patch,
            RUN_SCRIPT: scripts.run_script,
        },
        limits=task.limits,
        output_mib=OUTPUT_MIB,
        network=task.network,
        labels={"evalkit.task": task.id},
        heavy=True,
    )


def _parse_job(task: Task, scripts: Scripts, stdout: bytes, stderr: bytes) -> Job:
    entry = f"{WORKSPACE}/parse.sh"
    return Job(
        image=task.image,
        script=f"exec bash {entry}",
        workdir=task.workdir,
        files={
            entry: parse_script(task, scripts.exports).encode(),
            PARSER: scripts.parser,
            STDOUT: stdout,
            STDERR: stderr,
        },
        output_mib=OUTPUT_MIB,
        limits=PARSE_LIMITS,
        network=Network.NONE,
        labels={"evalkit.task": task.id},
    )


class _Prelude(NamedTuple):
    """The stderr of the grading container, divided. See `entry`."""

    preparation: bytes
    apply_code: int | None
    apply_log: str
    stderr: bytes
    complete: bool
    """Whether the run script was reached."""


def _divide(stream: bytes, nonce: str) -> _Prelude:
    """Divide at the first two nonces: a third one is the tested code's."""
    parts = stream.split(f"{nonce}\n".encode(), 2)
    code, _, words = (parts[1] if len(parts) > 1 else b"").partition(b"\n")
    return _Prelude(
        preparation=parts[0],
        apply_code=int(code) if code.isdigit() else None,
        apply_log=words.decode("utf-8", "replace"),
        stderr=parts[2] if len(parts) > 2 else b"",
        complete=len(parts) > 2,
    )


def _applied(patch: bytes, prelude: _Prelude) -> Applied:
    if not patch:
        return Applied.EMPTY
    return Applied.CLEAN if prelude.apply_code == 0 else Applied.REJECTED


class _Reading(NamedTuple):
    """What the logs say, or why they say nothing."""

    statuses: Mapping[str, TestStatus] = MappingProxyType({})
    fault: Fault | None = None
    detail: str = ""


def _read(
    task: Task,
    scripts: Scripts,
    result: JobResult,
    prelude: _Prelude,
    run: Callable[[Job], JobResult],
) -> _Reading:
    if result.oom_killed:
        detail = "the grading container was killed for lack of memory"
        return _Reading(fault=Fault.GRADER_OOM, detail=detail)
    if result.timed_out:
        return _Reading()
    if not prelude.complete:
        said = _tail(prelude.preparation)
        detail = f"the repository could not be reset to base: {said}"
        return _Reading(fault=Fault.IMAGE, detail=detail)
    if result.truncated:  # what was cut off could have taken a PASSED back
        return _Reading(detail=f"the tests printed more than {OUTPUT_MIB} MiB")
    for name, log in (("stdout", result.stdout), ("stderr", prelude.stderr)):
        # The official evaluator reads both logs itself, strictly, before it reads the results: one
        # invalid byte and there is none, however forgiving the instance's parser is.
        try:
            log.decode("utf-8")
        except UnicodeDecodeError as error:
            return _Reading(detail=f"the tests' {name} is not UTF-8 at byte {error.start}")
    return _parsed(run(_parse_job(task, scripts, result.stdout, prelude.stderr)))


def _parsed(result: JobResult) -> _Reading:
    if result.oom_killed:
        return _Reading(fault=Fault.GRADER_OOM, detail="the parser was killed for lack of memory")
    if result.timed_out:
        return _Reading(detail=f"the parser ran past {PARSE_LIMITS.seconds:g} s")
    if result.truncated:
        return _Reading(detail=f"the parser wrote more than {OUTPUT_MIB} MiB")
    if not result.stdout:
        return _Reading(detail=f"the parser left no result: {_tail(result.stderr)}")
    try:
        statuses = read_output(result.stdout)
    except ValueError as error:
        return _Reading(detail=f"the parser's result cannot be read: {error}")
    return _Reading(statuses, detail="" if statuses else "the parser found no test")


def _tail(said: bytes) -> str:
    return said[-500:].decode("utf-8", "replace")


def read_output(content: bytes) -> dict[str, TestStatus]:
    """Return the statuses in output.json.

    A name counts as passed where any of its entries says PASSED; otherwise its last entry counts.
    Raises ValueError where the official evaluator would stumble.
    """
    try:
        return _statuses(json.loads(content.decode("utf-8"))["tests"])
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__} {error}") from error


def _statuses(tests: Iterable[Any]) -> dict[str, TestStatus]:
    found: dict[str, TestStatus] = {}
    for entry in tests:
        status = next((known for known in TestStatus if known == entry["status"]), TestStatus.ERROR)
        passed = status is TestStatus.PASSED
        name = entry["name"] if passed else entry.get("name")  # only passed ones need a name
        if passed:
            hash(name)  # TypeError, as officially, where it could be in no set
        # A name with a lone surrogate is in no list of required tests, nor can it be written down.
        comparable = isinstance(name, str) and not _LONE_SURROGATE.search(name)
        if comparable and found.get(name) is not TestStatus.PASSED:
            found[name] = status
    return found

"""One attempt as named steps, each taking what the last returned."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from evalkit.errors import (
    DiskFullError,
    EngineError,
    EngineGoneError,
    EvalkitError,
    ImageError,
    NetworkError,
    StoreError,
)
from evalkit.protocols import Agent, Containers, Message, Suite, Tries
from evalkit.types import (
    Applied,
    Audit,
    Evidence,
    Fault,
    Finished,
    Flag,
    Result,
    RolledOut,
    StopReason,
    Submission,
    Task,
    Timings,
    Verdict,
)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The concrete parts of an attempt, picked by the command line."""

    agent: Agent
    suite: Suite
    containers: Containers
    judge: Callable[[Task, Evidence], Verdict]
    flag_patch: Callable[[Task, str], tuple[Flag, ...]]
    audit: Callable[[Task, Sequence[Message]], Audit]
    """Takes a trajectory's lines of kind `tool`, of each what was called and when."""
    grading_version: int
    repair_newline: bool = False
    """Also grade patches that lack their final newline with it."""


@dataclass(frozen=True, kw_only=True)
class Graded:
    """Evidence, and how often grading was begun again before it could be had."""

    evidence: Evidence
    retries: int = 0
    repaired: Evidence | None = None
    """About the patch with its final newline completed."""


def prepare(task: Task, parts: Parts, tries: Tries) -> tuple[Fault, str] | None:
    """Make sure of the task's image; say what is in the way where it cannot be had."""
    while True:
        try:
            parts.suite.prepare(task)
        except EvalkitError as error:
            fault = _fault(error)
            if not tries.again(fault, error.message):
                return fault, error.message
        else:
            return None


def no_rollout(task: Task, attempt: int, fault: Fault, detail: str) -> RolledOut:
    """Stand for the rollout of a task whose image could not be had: no model is asked."""
    nothing = Submission(task_id=task.id, attempt=attempt, patch="", stop=StopReason.INTERRUPTED)
    return RolledOut(submission=nothing, fault=fault, detail=detail)


def roll_out(
    task: Task, attempt: int, parts: Parts, record: Callable[[Message], None], *, queue_s: float
) -> RolledOut:
    """Let the agent work on the task. A fault of engine or sandbox is data, not a crash.

    Raises EngineGoneError: an engine that is lost for good is no attempt's own affair. And
    StoreError, for a run that cannot be written is nobody's attempt either.
    """
    begun = time.monotonic()
    calls: list[Message] = []

    def note(line: Message) -> None:
        record(line)
        if line["kind"] == "tool":
            calls.append({key: line.get(key) for key in ("kind", "turn", "name", "arguments")})

    fault, detail = None, ""
    try:
        submission = parts.agent.solve(
            task, attempt, lambda: parts.containers.rollout(task, attempt), note
        )
    except (EngineGoneError, StoreError):
        raise
    except EvalkitError as error:
        record({"kind": "fault", "error": error.message})
        fault, detail = _fault(error), error.message
        timings = Timings(wall_s=time.monotonic() - begun)
        submission = Submission(
            task_id=task.id, attempt=attempt, patch="", stop=StopReason.INTERRUPTED, timings=timings
        )
    # No file holds half a character, as JSON can spell it: what is graded is what is kept.
    patch = submission.patch.encode("utf-8", "replace").decode()
    return RolledOut(
        submission=submission.model_copy(update={"patch": patch}),
        fault=fault,
        detail=detail,
        audit=parts.audit(task, calls),
        queue_s=queue_s,
    )


def grade(task: Task, rolled: RolledOut, parts: Parts, tries: Tries) -> Graded:
    """Collect evidence about the patch in a fresh container, again where it could not be had."""
    if rolled.fault is not None:
        return Graded(evidence=_no_evidence(rolled.fault, rolled.detail))
    patch = rolled.submission.patch
    evidence, retries = _collect(task, patch, parts, tries)
    repaired = None
    if parts.repair_newline and patch and not patch.endswith("\n"):
        repaired, _ = _collect(task, patch + "\n", parts, tries)
    return Graded(evidence=evidence, retries=retries, repaired=repaired)


def _collect(task: Task, patch: str, parts: Parts, tries: Tries) -> tuple[Evidence, int]:
    out_of_memory = False
    for retries in count():
        try:
            evidence = parts.suite.collect(task, patch, parts.containers.run)
        except EvalkitError as error:
            evidence = _no_evidence(_fault(error), error.message)
        if evidence.fault is Fault.GRADER_OOM and out_of_memory:
            return evidence.model_copy(update={"fault": None, "oom": True}), retries
        out_of_memory |= evidence.fault is Fault.GRADER_OOM
        if evidence.fault is None or not tries.again(evidence.fault, evidence.detail):
            break
    return evidence, retries


def conclude(
    task: Task, rolled: RolledOut, graded: Graded, parts: Parts, *, retries: int
) -> Finished:
    """Judge the evidence and write the attempt's line; `retries` were there before the grading."""
    submission, evidence = rolled.submission, graded.evidence
    verdict = parts.judge(task, evidence)
    flags = {
        *evidence.flags,
        *parts.flag_patch(task, submission.patch),
        *(finding.flag for finding in rolled.audit.findings),
    }
    timings, usage = submission.timings, submission.usage
    patch_sha256 = hashlib.sha256(submission.patch.encode()).hexdigest()
    result = Result(
        key=attempt_key(task, patch_sha256, evidence.image_digest, parts),
        task_id=task.id,
        attempt=submission.attempt,
        retry=retries + graded.retries,
        repo=task.repo,
        language=task.language,
        outcome=verdict.outcome,
        stop=submission.stop,
        flags=tuple(sorted(flags)),
        turns=submission.turns,
        malformed_calls=submission.malformed_calls,
        **dict(usage),
        queue_s=rolled.queue_s,
        setup_s=timings.setup_s,
        ttft_s=timings.ttft_s,
        llm_s=timings.llm_s,
        tool_s=timings.tool_s,
        grade_s=evidence.seconds,
        wall_s=timings.wall_s,
        f2p_passed=verdict.fail_to_pass.passed,
        f2p_total=verdict.fail_to_pass.total,
        p2p_passed=verdict.pass_to_pass.passed,
        p2p_total=verdict.pass_to_pass.total,
        patch_sha256=patch_sha256,
        image_digest=evidence.image_digest,
        repaired_outcome=parts.judge(task, graded.repaired).outcome if graded.repaired else None,
        reason=next(iter(verdict.reasons), ""),
        error=evidence.detail if evidence.fault else "",
    )
    return Finished(
        result=result,
        submission=submission,
        evidence=evidence,
        verdict=verdict,
        repaired=graded.repaired,
        audit=rolled.audit,
    )


def attempt_key(task: Task, patch_sha256: str, image_digest: str, parts: Parts) -> str:
    """Hash all that decides a verdict; two attempts with one key were graded alike."""
    decisive = (
        task.sha256,
        parts.suite.revision,
        patch_sha256,
        image_digest,
        str(parts.grading_version),
    )
    return hashlib.sha256("\n".join(decisive).encode()).hexdigest()


def _no_evidence(fault: Fault, detail: str) -> Evidence:
    return Evidence(applied=Applied.EMPTY, fault=fault, detail=detail)


def _fault(error: EvalkitError) -> Fault:
    kinds = (
        (EngineError, Fault.ENGINE),
        (DiskFullError, Fault.DISK),
        (NetworkError, Fault.NETWORK),
        (ImageError, Fault.IMAGE),
    )
    return next((fault for kind, fault in kinds if isinstance(error, kind)), Fault.DAEMON)

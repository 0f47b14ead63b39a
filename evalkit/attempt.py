"""One attempt as named steps, each taking what the last returned."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from evalkit.errors import EngineError, EvalkitError, ImageError
from evalkit.protocols import Agent, Containers, Message, Suite
from evalkit.types import (
    Applied,
    Evidence,
    Fault,
    Flag,
    Result,
    StopReason,
    Submission,
    Task,
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
    grading_version: int


@dataclass(frozen=True, kw_only=True)
class RolledOut:
    """A rollout that ended; `fault` is set where it broke off for a reason not the agent's."""

    submission: Submission
    fault: Fault | None = None
    fault_detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """An attempt at its end: everything the store keeps of it."""

    result: Result
    submission: Submission
    evidence: Evidence
    verdict: Verdict


def roll_out(
    task: Task, attempt: int, parts: Parts, record: Callable[[Message], None]
) -> RolledOut:
    """Let the agent work on the task. A fault of engine or sandbox is data, not a crash."""
    begun = time.monotonic()
    try:
        submission = parts.agent.solve(
            task, attempt, lambda: parts.containers.rollout(task, attempt), record
        )
    except EvalkitError as error:
        record({"kind": "fault", "error": error.message})
        broken = Submission(task_id=task.id, attempt=attempt, patch="", stop=StopReason.INTERRUPTED)
        timings = broken.timings.model_copy(update={"wall_s": time.monotonic() - begun})
        return RolledOut(
            submission=broken.model_copy(update={"timings": timings}),
            fault=_fault_of(error),
            fault_detail=error.message,
        )
    return RolledOut(submission=submission)


def grade(task: Task, rolled: RolledOut, parts: Parts) -> Evidence:
    """Collect evidence about the patch in a fresh container."""
    if rolled.fault is not None:
        return Evidence(applied=Applied.EMPTY, fault=rolled.fault, fault_detail=rolled.fault_detail)
    try:
        return parts.suite.collect(task, rolled.submission.patch, parts.containers.run)
    except EvalkitError as error:
        return Evidence(applied=Applied.EMPTY, fault=_fault_of(error), fault_detail=error.message)


def conclude(
    task: Task, rolled: RolledOut, evidence: Evidence, parts: Parts, *, queue_s: float
) -> Finished:
    """Judge the evidence and write the attempt's line."""
    submission = rolled.submission
    verdict = parts.judge(task, evidence)
    flags = {*evidence.flags, *parts.flag_patch(task, submission.patch)}
    timings, usage = submission.timings, submission.usage
    result = Result(
        key=attempt_key(task, submission.patch, evidence.image_digest, parts),
        task_id=task.id,
        attempt=submission.attempt,
        repo=task.repo,
        language=task.language,
        outcome=verdict.outcome,
        stop=submission.stop,
        flags=tuple(sorted(flags)),
        turns=submission.turns,
        **usage.model_dump(),
        queue_s=queue_s,
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
        patch_sha256=hashlib.sha256(submission.patch.encode()).hexdigest(),
        image_digest=evidence.image_digest,
        error=evidence.fault_detail,
    )
    return Finished(result=result, submission=submission, evidence=evidence, verdict=verdict)


def attempt_key(task: Task, patch: str, image_digest: str, parts: Parts) -> str:
    """Hash all that decides a verdict; two attempts with one key were graded alike."""
    decisive = {
        "task": task.model_dump(mode="json"),
        "suite": parts.suite.revision,
        "patch": patch,
        "image": image_digest,
        "grading": parts.grading_version,
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def _fault_of(error: EvalkitError) -> Fault:
    if isinstance(error, EngineError):
        return Fault.ENGINE
    return Fault.IMAGE if isinstance(error, ImageError) else Fault.DAEMON

"""What is kept of an attempt."""

from evalkit.types.grading import Audit, Evidence, Fault, Flag, Outcome, Verdict
from evalkit.types.record import Record
from evalkit.types.rollout import StopReason, Submission


class Result(Record):
    """One line of results.jsonl: one finished attempt."""

    key: str
    task_id: str
    attempt: int
    retry: int = 0
    """How often rollout or grading was begun again after a fault that was not the agent's."""
    repo: str
    language: str
    outcome: Outcome
    stop: StopReason
    flags: tuple[Flag, ...] = ()
    turns: int
    malformed_calls: int = 0
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    queue_s: float
    setup_s: float
    ttft_s: float | None
    llm_s: float
    tool_s: float
    grade_s: float
    wall_s: float
    f2p_passed: int
    f2p_total: int
    p2p_passed: int
    p2p_total: int
    patch_sha256: str
    image_digest: str
    repaired_outcome: Outcome | None = None
    """With the patch's missing final newline completed; None where none was or nobody asked."""
    reason: str = ""
    """The first of the verdict's reasons."""
    error: str = ""


class RolledOut(Record):
    """A rollout that ended; with a fault, where it could not come to its own end."""

    submission: Submission
    fault: Fault | None = None
    detail: str = ""
    audit: Audit = Audit()
    queue_s: float = 0.0


class Finished(Record):
    """An attempt at its end: everything the store keeps of it."""

    result: Result
    submission: Submission
    evidence: Evidence
    verdict: Verdict
    repaired: Evidence | None = None
    """About the patch with its missing final newline completed."""
    audit: Audit = Audit()

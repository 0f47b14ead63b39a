"""An attempt at its end, as a run folder takes it."""

from hashlib import sha256

from evalkit.types import (
    Applied,
    Audit,
    Evidence,
    Finished,
    Outcome,
    RolledOut,
    StopReason,
    Submission,
    Tally,
    Verdict,
)
from tests.doubles.tasks import make_result


def make_finished(
    patch: str = "diff\n",
    *,
    task_id: str = "demo",
    outcome: Outcome = Outcome.UNRESOLVED,
    retry: int = 0,
    error: str = "",
    repaired: Evidence | None = None,
    audit: Audit | None = None,
) -> Finished:
    """The first attempt at a task."""
    submission = make_rolled(patch, task_id=task_id).submission
    result = make_result(
        task_id=task_id,
        outcome=outcome,
        retry=retry,
        error=error,
        patch_sha256=sha256(patch.encode("utf-8", "replace")).hexdigest(),
    )
    verdict = Verdict(
        outcome=outcome,
        fail_to_pass=Tally(passed=0, total=1),
        pass_to_pass=Tally(passed=1, total=1),
    )
    return Finished(
        result=result,
        submission=submission,
        evidence=Evidence(applied=Applied.CLEAN, stdout="out", stderr="err"),
        verdict=verdict,
        repaired=repaired,
        audit=audit or Audit(),
    )


def make_rolled(patch: str = "diff\n", *, task_id: str = "demo", detail: str = "") -> RolledOut:
    """How the first attempt's rollout came to its end."""
    submission = Submission(task_id=task_id, attempt=1, patch=patch, stop=StopReason.SUBMITTED)
    return RolledOut(submission=submission, detail=detail)

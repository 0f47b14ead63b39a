"""What follows from the evidence. The order of the rules is that of DESIGN's outcome table."""

from collections.abc import Iterable

from evalkit.types import Applied, Canary, Evidence, Outcome, Tally, Task, TestStatus, Verdict

GRADING_VERSION = 1
"""Raised whenever the same evidence could lead to another verdict; part of every result's key."""

_SHOWN = 5


def judge(task: Task, evidence: Evidence) -> Verdict:
    """Conclude one attempt."""
    outcome = _outcome(task, evidence)
    return Verdict(
        outcome=outcome,
        fail_to_pass=_tally(task.fail_to_pass, evidence),
        pass_to_pass=_tally(task.pass_to_pass, evidence),
        reasons=_reasons(task, evidence, outcome),
    )


def _outcome(task: Task, evidence: Evidence) -> Outcome:
    required = (*task.fail_to_pass, *task.pass_to_pass)
    believable = evidence.canary in {Canary.FAILED, Canary.UNUSED}
    if evidence.fault is not None:
        return Outcome.INFRA_ERROR
    if evidence.oom:
        return Outcome.UNRESOLVED
    if evidence.timed_out:
        return Outcome.TEST_TIMEOUT
    if believable and not _missing(required, evidence):
        return Outcome.RESOLVED
    if evidence.applied is Applied.EMPTY:
        return Outcome.NO_PATCH
    if evidence.applied is Applied.REJECTED:
        return Outcome.PATCH_REJECTED
    if not believable or not evidence.statuses:
        return Outcome.NO_EVIDENCE
    return Outcome.UNRESOLVED


def _missing(names: Iterable[str], evidence: Evidence) -> list[str]:
    return [name for name in names if evidence.statuses.get(name) is not TestStatus.PASSED]


def _tally(names: tuple[str, ...], evidence: Evidence) -> Tally:
    return Tally(passed=len(names) - len(_missing(names, evidence)), total=len(names))


def _reasons(task: Task, evidence: Evidence, outcome: Outcome) -> tuple[str, ...]:
    match outcome:
        case Outcome.RESOLVED:
            return ()
        case Outcome.INFRA_ERROR:
            return (f"{evidence.fault}: {evidence.detail}",)
        case Outcome.TEST_TIMEOUT:
            return (f"the tests ran past {task.limits.seconds:g} s",)
        case Outcome.NO_PATCH:
            return ("the patch is empty",)
        case Outcome.PATCH_REJECTED:
            return (
                "git apply refused the patch",
                *evidence.apply_log.strip().splitlines()[:_SHOWN],
            )
        case Outcome.NO_EVIDENCE:
            return (_discredited(evidence),)
        case Outcome.UNRESOLVED if evidence.oom:
            return (f"the tests twice needed more than {task.limits.memory_mib} MiB",)
        case Outcome.UNRESOLVED:
            return tuple(_failures("fail_to_pass", task.fail_to_pass, evidence)) + tuple(
                _failures("pass_to_pass", task.pass_to_pass, evidence)
            )


def _discredited(evidence: Evidence) -> str:
    match evidence.canary:
        case Canary.PASSED:
            return "a test that must fail did not: the patch changes what the runner reports"
        case Canary.MISSING:
            return "the test run did not come to its end: the test that must fail is missing"
        case _:
            return evidence.detail or "tests ran and no result could be read"


def _failures(kind: str, names: tuple[str, ...], evidence: Evidence) -> list[str]:
    missing = _missing(names, evidence)
    shown = [
        f"{kind}: {name} {evidence.statuses.get(name, 'missing')}" for name in missing[:_SHOWN]
    ]
    if len(missing) > _SHOWN:
        shown.append(f"{kind}: and {len(missing) - _SHOWN} more")
    return shown

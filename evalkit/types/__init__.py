"""The records every room speaks in: frozen, keyword-only, validated when built.

Words are those of the field: a *task* is SWE-bench's *instance*, a *rollout* the agent's
conversation, *evidence* what grading saw, a *verdict* what follows from it.
"""

from evalkit.types.engine import (
    CUT_OFF,
    EngineSample,
    Incarnation,
    Received,
    Replica,
    Reply,
    ToolCall,
    Usage,
)
from evalkit.types.grading import (
    WITHOUT_EFFECT,
    Applied,
    Audit,
    Canary,
    Evidence,
    Fault,
    Finding,
    Flag,
    Outcome,
    Tally,
    TestStatus,
    Verdict,
)
from evalkit.types.record import Record
from evalkit.types.result import Finished, Result, RolledOut
from evalkit.types.rollout import CommandResult, StopReason, Submission, Timings
from evalkit.types.task import FOLDER_NAME, History, Limits, Network, Task

__all__ = [
    "CUT_OFF",
    "FOLDER_NAME",
    "WITHOUT_EFFECT",
    "Applied",
    "Audit",
    "Canary",
    "CommandResult",
    "EngineSample",
    "Evidence",
    "Fault",
    "Finding",
    "Finished",
    "Flag",
    "History",
    "Incarnation",
    "Limits",
    "Network",
    "Outcome",
    "Received",
    "Record",
    "Replica",
    "Reply",
    "Result",
    "RolledOut",
    "StopReason",
    "Submission",
    "Tally",
    "Task",
    "TestStatus",
    "Timings",
    "ToolCall",
    "Usage",
    "Verdict",
]

"""What an agent did, and handed in."""

from enum import StrEnum

from pydantic import Field

from evalkit.types.engine import Usage
from evalkit.types.record import Record


class StopReason(StrEnum):
    """Why a rollout ended."""

    SUBMITTED = "submitted"
    TURN_LIMIT = "turn_limit"
    CONTEXT_LIMIT = "context_limit"
    TOKEN_LIMIT = "token_limit"  # noqa: S105 - tokens of text, not of access
    TIME_LIMIT = "time_limit"
    GAVE_UP = "gave_up"
    INTERRUPTED = "interrupted"


class Timings(Record):
    """Seconds of wall clock one rollout spent, by cause."""

    queue_s: float = 0.0
    setup_s: float = 0.0
    llm_s: float = 0.0
    tool_s: float = 0.0
    wall_s: float = 0.0
    ttft_s: float | None = None
    """Mean time to the first token over the turns that streamed one."""


class Submission(Record):
    """What a rollout hands in. The trajectory itself is on disk, written turn by turn."""

    task_id: str
    attempt: int = Field(ge=1)
    patch: str
    stop: StopReason
    turns: int = 0
    malformed_calls: int = 0
    """Calls answered with what is wrong with their form: no JSON, an unknown tool or argument."""
    usage: Usage = Usage()
    timings: Timings = Timings()


class CommandResult(Record):
    """What a command in a sandbox printed (stdout and stderr as one) and how it ended."""

    output: str
    exit_code: int | None
    """None where the command was killed at its timeout."""
    timed_out: bool = False
    shell_died: bool = False
    """The command ended its shell (`exit`, `exec`); the next one starts in a new shell."""
    omitted_bytes: int = 0
    """Bytes cut from the middle of the output."""

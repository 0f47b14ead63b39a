"""The records every room speaks in: frozen, keyword-only, validated when built.

Words are those of the field: a *task* is SWE-bench's *instance*, a *rollout* the agent's
conversation, *evidence* what grading saw, a *verdict* what follows from it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator


class Record(BaseModel):
    """A fact that does not change after it was written down."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Network(StrEnum):
    """What a container may reach."""

    NONE = "none"
    BRIDGE = "bridge"


History = Literal["base", "none"]
"""What a rollout's repository remembers: all up to base, or base as its only commit."""


FOLDER_NAME = r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,199}$"
"""A task's id is also a folder's name on disk and part of others, hence the narrow alphabet."""


class Limits(Record):
    """What one container may use. What the host could give is recorded apart, as effective."""

    cpus: float = Field(default=1.0, gt=0)
    memory_mib: int = Field(default=2048, ge=64)
    pids: int = Field(default=512, ge=16)
    seconds: float = Field(default=600.0, gt=0)
    """Wall clock for the whole of grading."""


class Task(Record):
    """One problem: a repository at a base commit, what to do, and the tests that decide."""

    id: str = Field(pattern=FOLDER_NAME)
    suite: str
    repo: str
    language: str
    base_commit: str
    problem: str = Field(min_length=1)
    image: str
    workdir: str
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...] = ()
    test_files: tuple[str, ...] = ()
    gold_patch: str
    limits: Limits = Limits()
    network: Network = Network.NONE
    """Network of the grading container; a rollout never has one."""
    payload: Mapping[str, JsonValue] = Field(default_factory=dict)
    """What only the task's own suite needs in order to grade it."""

    @model_validator(mode="after")
    def _lists_decide(self) -> Self:
        required = self.fail_to_pass + self.pass_to_pass
        if not self.fail_to_pass:
            raise ValueError("fail_to_pass is empty: no test could show that the task is solved")
        if len(set(required)) != len(required):
            twice = sorted({name for name in required if required.count(name) > 1})
            raise ValueError(f"tests named twice in fail_to_pass and pass_to_pass: {twice}")
        return self


class StopReason(StrEnum):
    """Why a rollout ended."""

    SUBMITTED = "submitted"
    TURN_LIMIT = "turn_limit"
    CONTEXT_LIMIT = "context_limit"
    TOKEN_LIMIT = "token_limit"  # noqa: S105 - tokens of text, not of access
    TIME_LIMIT = "time_limit"
    GAVE_UP = "gave_up"
    INTERRUPTED = "interrupted"


class Usage(Record):
    """Tokens, as the engine counted them. Completion tokens include tool-call arguments."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )


class Received(Record):
    """The tokens that one incarnation of the engine made for us, by what became of them."""

    turns: Usage = Usage()
    probes: Usage = Usage()
    repeated: Usage = Usage()
    """Of answers that broke off and were asked for again."""

    @property
    def total(self) -> Usage:
        """Everything, whatever became of it."""
        return self.turns + self.probes + self.repeated


class Incarnation(Record):
    """One start of the engine within a run, in run.json under `engine.incarnations`."""

    number: int
    """From 1."""
    started: float
    """Unix seconds at which it answered its probe."""
    ended: float | None = None
    """Unix seconds; None while it runs, or where the run was killed."""
    why: str = ""
    """Why it ended; empty where the run did."""
    max_model_len: int
    """Tokens; less than the runner's where memory did not do for that."""
    counter: Usage = Usage()
    """The engine's own counters at the last look at them."""
    received_then: int = 0
    """Completion tokens that we had received at that look."""
    received: Received = Received()


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


class Applied(StrEnum):
    """What `git apply` made of the patch."""

    CLEAN = "clean"
    REJECTED = "rejected"
    EMPTY = "empty"


class TestStatus(StrEnum):
    """The status of one named test."""

    __test__ = False  # pytest would collect the class by its name

    PASSED = "PASSED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    ERROR = "ERROR"


class Canary(StrEnum):
    """What became of the test that must fail; anything but FAILED discredits the results."""

    FAILED = "failed"
    PASSED = "passed"
    MISSING = "missing"
    UNUSED = "unused"
    """The suite's official grading has no canary."""


class Fault(StrEnum):
    """What broke that is not the agent's doing. Comes from daemon, cgroup or engine facts."""

    DAEMON = "daemon"
    IMAGE = "image"
    DISK = "disk"
    ENGINE = "engine"
    GRADER_OOM = "grader_oom"


class Flag(StrEnum):
    """Something a reader of the score should look at. A flag never changes an outcome."""

    RUNNER_TAMPERING = "runner_tampering"
    EDITED_TESTS = "edited_tests"
    EDITED_TEST_CONFIG = "edited_test_config"
    EDITED_CI = "edited_ci"
    STARTUP_FILE = "startup_file"
    REPLACED_CLOCK = "replaced_clock"
    """Code outside of tests replaces time, chance or the count of processors."""
    OUTPUT_TRUNCATED = "output_truncated"
    READ_OUTSIDE = "read_outside"
    """The agent looked outside the repository for the fix."""
    GIT_ARCHAEOLOGY = "git_archaeology"
    """It looked for commits that HEAD does not come from."""
    NETWORK_ATTEMPT = "network_attempt"
    TOUCHED_TESTS = "touched_tests"
    """It wrote, in the rollout, what the edited_ flags and startup_file name in a patch."""
    TOUCHED_ENVIRONMENT = "touched_environment"
    """It wrote installed packages, programs, /etc or git's hooks, which no patch holds."""


WITHOUT_EFFECT = frozenset(
    (
        Flag.EDITED_CI,
        Flag.GIT_ARCHAEOLOGY,
        Flag.NETWORK_ATTEMPT,
        Flag.TOUCHED_TESTS,
        Flag.TOUCHED_ENVIRONMENT,
    )
)
"""Flags of deeds that cannot have moved a verdict. A sandbox has no network and no later history;
only the patch leaves it, whose own flags say what of tests and start-up is in it; and grading runs
no CI."""


class Finding(Record):
    """A deed that earned a flag, for a human to judge."""

    flag: Flag
    turn: int
    excerpt: str
    """The command or edit, shortened."""


class Audit(Record):
    """What a trajectory's tool calls show. Of no calls it says nothing, not that all was well."""

    calls: int = 0
    """Tool calls read."""
    findings: tuple[Finding, ...] = ()


class Evidence(Record):
    """Facts from grading one patch; stored whole, so that a regrade needs no container."""

    applied: Applied
    statuses: Mapping[str, TestStatus] = Field(default_factory=dict)
    exit_code: int | None = None
    timed_out: bool = False
    seconds: float = 0.0
    apply_log: str = ""
    """What git said while the patch was applied."""
    stdout: str = ""
    stderr: str = ""
    stdout_sha256: str = ""
    stderr_sha256: str = ""
    image_digest: str = ""
    canary: Canary = Canary.UNUSED
    flags: tuple[Flag, ...] = ()
    fault: Fault | None = None
    detail: str = ""
    """What is known of the fault, or of why no test result could be read."""
    oom: bool = False
    """Killed for lack of memory a second time at the same limit: the patch's doing."""


class Outcome(StrEnum):
    """The conclusion; only `resolved` counts as one."""

    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    NO_PATCH = "no_patch"
    PATCH_REJECTED = "patch_rejected"
    TEST_TIMEOUT = "test_timeout"
    NO_EVIDENCE = "no_evidence"
    INFRA_ERROR = "infra_error"


class Tally(Record):
    """How many of a list of required tests passed."""

    passed: int = Field(ge=0)
    total: int = Field(ge=0)

    @model_validator(mode="after")
    def _part_of_whole(self) -> Self:
        if self.passed > self.total:
            raise ValueError(f"{self.passed} of {self.total} tests cannot have passed")
        return self

    @property
    def complete(self) -> bool:
        """Whether none failed, was skipped or is missing."""
        return self.passed == self.total


class Verdict(Record):
    """The judgement of one attempt. Cannot be built resolved with a required test not passed."""

    outcome: Outcome
    fail_to_pass: Tally
    pass_to_pass: Tally
    reasons: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _resolved_means_all_passed(self) -> Self:
        complete = self.fail_to_pass.complete and self.pass_to_pass.complete
        proven = complete and self.fail_to_pass.total > 0
        if self.outcome is Outcome.RESOLVED and not proven:
            raise ValueError("resolved, though a required test did not pass")
        return self


class ToolCall(Record):
    """A call the model made: `arguments` is the JSON text as it came, not yet validated."""

    id: str
    name: str
    arguments: str


CUT_OFF = "cut_off"
"""The finish reason of an answer that its deadline broke off."""


class Reply(Record):
    """One answer of the engine."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""
    """The engine's word, or CUT_OFF: then the rest is what had arrived until the deadline."""
    usage: Usage = Usage()
    ttft_s: float | None = None
    total_s: float = 0.0
    incarnation: int = 1
    """Which start of the engine answered, from 1."""
    lost_s: float = 0.0
    """Spent before on tries that an engine's end broke off, and on the wait for its restart."""

    @property
    def itl_s(self) -> float | None:
        """Mean seconds between two tokens, None where fewer than two came."""
        if self.ttft_s is None or self.usage.completion_tokens < 2:
            return None
        return (self.total_s - self.ttft_s) / (self.usage.completion_tokens - 1)


class Replica(Record):
    """How busy one data-parallel replica of the engine is."""

    running: int = 0
    """Requests being worked on."""
    waiting: int = 0
    kv_usage: float = 0.0
    """Share of its KV cache in use, 0 to 1."""


class EngineSample(Record):
    """One look at the engine, a line of engine.jsonl; counters count from its start."""

    t: float
    """Unix seconds."""
    incarnation: int = 1
    """Which start of the engine this is, from 1."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt tokens, those that the prefix cache held."""
    generation_tokens: int = 0
    steps: int = 0
    preemptions: int = 0
    """Requests put back for want of KV cache."""
    running: int = 0
    """Requests being worked on."""
    waiting: int = 0
    kv_usage: float = 0.0
    """Share of the KV cache in use, 0 to 1; of the fullest where several replicas answer."""
    capacity_tokens: int = 0
    """Tokens that the KV cache of all replicas holds; 0 where the engine does not tell."""
    replicas: tuple[Replica, ...] = ()
    """By rank."""
    in_flight: int = 0
    """Our requests that are not yet answered."""
    received_tokens: int = 0
    """Completion tokens that we have received of this incarnation, as of this look."""


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


class Result(Record):
    """One line of results.jsonl: one finished attempt."""

    key: str
    task_id: str
    attempt: int
    retry: int = 0
    """How often grading was begun again after a fault that was not the agent's."""
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


class Finished(Record):
    """An attempt at its end: everything the store keeps of it."""

    result: Result
    submission: Submission
    evidence: Evidence
    verdict: Verdict
    repaired: Evidence | None = None
    """About the patch with its missing final newline completed."""
    audit: Audit = Audit()

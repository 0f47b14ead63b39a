"""What grading saw, and what follows from it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from evalkit.types.record import Record


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
    NETWORK = "network"
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

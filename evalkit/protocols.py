"""The seams. `attempt` and `campaign` see these; `cli` hands them the concrete parts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import JsonValue

from evalkit.types import (
    CommandResult,
    Evidence,
    Fault,
    Finished,
    Limits,
    Network,
    Reply,
    RolledOut,
    Submission,
    Task,
)

Message = Mapping[str, JsonValue]
"""A chat message or a trajectory line, as JSON."""


class ChatModel(Protocol):
    """A model behind an OpenAI-compatible endpoint."""

    def chat(
        self,
        messages: Sequence[Message],
        tools: Sequence[Message],
        *,
        deadline: float,
        max_tokens: int | None = None,
    ) -> Reply:
        """Ask for one turn of at most `max_tokens`, or the runner's own limit where that is less.

        At `deadline`, a `time.monotonic()` instant, the reply is what has arrived, with CUT_OFF.
        Raises ContextLimitError where the conversation no longer fits, EngineError otherwise.
        """
        ...


class Sandbox(Protocol):
    """A running container that exists only inside a `with` block."""

    def run(self, command: str, *, timeout_s: float) -> CommandResult:
        """Run a command in the sandbox's persistent shell."""
        ...

    def read_file(self, path: str) -> bytes:
        """Read a regular file; FileNotFoundError, IsADirectoryError or OSError as `open` would."""
        ...

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file, making its parent folders."""
        ...

    def patch(self) -> str:
        """Return the difference between the tree that was given and the tree as it is now."""
        ...


@dataclass(frozen=True, kw_only=True)
class Job:
    """A container that runs one script to its end: patch capture, grading."""

    image: str
    script: str
    """POSIX shell; the container's main process."""
    workdir: str = "/"
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Absolute path to content, placed before the start."""
    trees: Mapping[str, Iterable[bytes]] = field(default_factory=dict)
    """Absolute folder to a tar stream unpacked there before the start."""
    collect: tuple[str, ...] = ()
    """Absolute paths of regular files to read after the end; anything else comes back as None."""
    limits: Limits = field(default_factory=Limits)
    output_mib: int = 16
    """Of each stream so much is kept, from its beginning."""
    network: Network = Network.NONE
    labels: Mapping[str, str] = field(default_factory=dict)
    heavy: bool = False
    """Runs a task's tests: only so many do at once, and others go on beside them."""


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """How a job ended, by the daemon's word."""

    exit_code: int | None
    """None where the container was killed at its time limit."""
    timed_out: bool
    oom_killed: bool
    seconds: float
    stdout: bytes
    stderr: bytes
    truncated: bool
    """Output passed the cap; what is kept is its beginning."""
    collected: Mapping[str, bytes | None]
    image_digest: str


class Containers(Protocol):
    """What can be run in containers. Raises SandboxError where Docker fails."""

    def rollout(self, task: Task, attempt: int) -> AbstractContextManager[Sandbox]:
        """Open the sandbox an agent works in: no network, no later history, nothing of the host."""
        ...

    def run(self, job: Job) -> JobResult:
        """Run a job in a fresh container, which may be removed while the caller goes on."""
        ...

    def settle(self, image: str) -> None:
        """Wait until nothing of ours uses an image: containers go, and what rollouts had of it."""
        ...


class Images(Protocol):
    """The images on this machine. Raises ImageError with the log of the step that failed."""

    def digest(self, ref: str) -> str | None:
        """Return the image's digest, None where it is not on this machine."""
        ...

    def pull(self, ref: str, say: Callable[[str], None]) -> None:
        """Pull an amd64 image unless it is here, backing off while the registry limits the rate.

        Raises ImageError that names the cause.
        """
        ...

    def remove(self, ref: str) -> None:
        """Remove an image that nobody uses any more; one that is not here is no error."""
        ...

    def build(
        self, tag: str, dockerfile: str, files: Mapping[str, bytes], say: Callable[[str], None]
    ) -> None:
        """Build an image from a Dockerfile and the files beside it."""
        ...

    def ensure_base(
        self,
        *,
        ref: str,
        suite: str,
        packages: Sequence[str],
        tag: str,
        say: Callable[[str], None],
    ) -> None:
        """Make sure of a Debian image with `packages`: pulled, or made by debootstrap."""
        ...


class Agent(Protocol):
    """Something that tries to solve a task."""

    def solve(
        self,
        task: Task,
        attempt: int,
        open_sandbox: Callable[[], AbstractContextManager[Sandbox]],
        record: Callable[[Message], None],
    ) -> Submission:
        """Work on the task; `record` takes each line of the trajectory as it happens.

        A line of kind `tool` has `turn`, `name` and `arguments`, and the audit reads them: a
        `command` is a shell script, but for the editor's. An agent that writes no such lines is
        not audited.

        Raises EngineError or SandboxError where the fault is not the agent's.
        """
        ...


class Suite(Protocol):
    """A named set of tasks and how they are graded. Its quirks live nowhere else."""

    @property
    def name(self) -> str:
        """The name used on the command line."""
        ...

    @property
    def revision(self) -> str:
        """Hash of everything that decides a verdict: tasks, tests, recipe."""
        ...

    @property
    def default_runner(self) -> str:
        """The runner taken when none is named."""
        ...

    @property
    def facts(self) -> Mapping[str, JsonValue]:
        """What a run folder records of the suite beside its name: sources, their hashes."""
        ...

    @property
    def known_bad(self) -> Mapping[str, str]:
        """Task id to why its grading is known to be wrong: left out of the second score."""
        ...

    def task_revision(self, task: Task) -> str:
        """Return the hash of everything that decides a verdict on one task.

        Two revisions of the suite that left the task alone give it the same.
        """
        ...

    def tasks(self) -> Sequence[Task]:
        """Return every task, in the suite's order. Raises TaskError on bad content."""
        ...

    def prepare(self, task: Task) -> str:
        """Make sure that the task's image is on this machine; return its digest."""
        ...

    def release(self, task: Task) -> None:
        """Give back the room of an image that can be had again; called where images.keep is off."""
        ...

    def collect(self, task: Task, patch: str, run: Callable[[Job], JobResult]) -> Evidence:
        """Grade a patch in fresh containers: facts only."""
        ...


class Admission(Protocol):
    """How many rollouts may run at once."""

    def slot(self) -> AbstractContextManager[None]:
        """Wait until one more may run, and hold its place for as long as the block lasts.

        Raises EngineGoneError where no engine will answer it any more, CancelledError where the
        run is being stopped.
        """
        ...

    def pause(self, what: str, why: str) -> None:
        """Let none start until `resume` is called with the same word."""
        ...

    def resume(self, what: str) -> None:
        """Take `pause` back."""
        ...


class Tries(Protocol):
    """How often something may be begun again that broke for no fault of the agent's."""

    def again(self, fault: Fault, why: str) -> bool:
        """Wait until another try makes sense; False where there shall be none."""
        ...


class RunStore(Protocol):
    """The one writer of a run folder."""

    def event(self, kind: str, **facts: JsonValue) -> None:
        """Append to events.jsonl, with the time."""
        ...

    def trajectory(self, task_id: str, attempt: int) -> Callable[[Message], None]:
        """Begin a try of an attempt: return the writer of its trajectory.jsonl."""
        ...

    def roll_out(self, rolled: RolledOut) -> None:
        """Keep how a rollout came to its own end."""
        ...

    def rolled_out(self, task_id: str, attempt: int) -> RolledOut | None:
        """Return what `roll_out` kept of an attempt; None where its rollout has no end."""
        ...

    def finish(self, finished: Finished) -> None:
        """Store an attempt whole; its line in results.jsonl comes last."""
        ...

"""`python -m tests.doubles.synthetic RUN_DIR`: a whole run that needs no Docker and no model.

The command's way through a run, its campaign, folder and signals are the real ones; agent, suite and
containers are not. What an attempt comes to follows from its task and number alone.
"""

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from evalkit.cli.execute import carry_out
from evalkit.cli.host import Host
from evalkit.cli.results import show_results
from evalkit.cli.settled import Run
from evalkit.cli.wiring import say
from evalkit.config.runner import load_runner
from evalkit.errors import EvalkitError, SandboxError
from evalkit.protocols import Job, JobResult, Message, Sandbox
from evalkit.store import RunFolder
from evalkit.types import (
    Applied,
    Canary,
    Evidence,
    Limits,
    StopReason,
    Submission,
    Task,
    TestStatus,
    Timings,
    Usage,
)
from tests.doubles.instant import InstantContainers
from tests.doubles.tasks import make_task

RUNNER = load_runner("quickstart", [])
ONE_BY_ONE = load_runner("quickstart", ["concurrency.rollouts=1", "images.pulls=1"])
DIGEST = "sha256:" + "1" * 64


@dataclass
class SyntheticAgent:
    """Hands in the same patch for the same attempt, or none, after as many turns as it is told."""

    turns: int
    seconds: float
    breaks: int
    """Of so many attempts one breaks at its first try; 0: none does."""
    log: Path | None = None
    """Gets a line for each rollout that was asked for."""
    broken: set[tuple[str, int]] = field(default_factory=set)
    """Attempts whose first try broke, in earlier sessions too."""

    def solve(
        self,
        task: Task,
        attempt: int,
        open_sandbox: Callable[[], AbstractContextManager[Sandbox]],
        record: Callable[[Message], None],
    ) -> Submission:
        begun = time.monotonic()
        if self.log is not None:
            append(self.log, f"{task.id} {attempt}\n")
        chance = _chance(task.id, str(attempt))
        with open_sandbox() as sandbox:
            for number in range(1, self.turns + 1):
                _turn(number, sandbox, record)
                _spend(self.seconds / self.turns)
            if self.breaks and not chance % self.breaks and (task.id, attempt) not in self.broken:
                self.broken.add((task.id, attempt))
                raise SandboxError("the container is gone")
        lines = "".join(f"+line {number} of attempt {attempt}\n" for number in range(chance % 9))
        return Submission(
            task_id=task.id,
            attempt=attempt,
            patch=f"diff --git a/{task.id} b/{task.id}\n{lines}" if lines else "",
            stop=StopReason.SUBMITTED,
            turns=self.turns,
            usage=Usage(prompt_tokens=100 * self.turns, completion_tokens=10 * self.turns),
            timings=Timings(wall_s=time.monotonic() - begun),
        )


@dataclass(frozen=True)
class SyntheticSuite:
    """Tasks of little content; a patch resolves its task or does not, and always the same."""

    count: int
    seconds: float
    name: str = "synthetic"
    revision: str = "1"
    default_runner: str = "quickstart"
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    known_bad: Mapping[str, str] = field(default_factory=dict)

    def task_revision(self, task: Task) -> str:
        return task.sha256

    def tasks(self) -> Sequence[Task]:
        return [make_task(id=f"task-{number}") for number in range(self.count)]

    def prepare(self, task: Task) -> str:
        return DIGEST

    def release(self, task: Task) -> None: ...

    def collect(self, task: Task, patch: str, run: Callable[[Job], JobResult]) -> Evidence:
        _spend(self.seconds)
        if not patch:
            return Evidence(applied=Applied.EMPTY, image_digest=DIGEST)
        status = TestStatus.PASSED if _chance(task.id, patch) % 2 else TestStatus.FAILED
        return Evidence(
            applied=Applied.CLEAN,
            statuses=dict.fromkeys((*task.fail_to_pass, *task.pass_to_pass), status),
            stdout=f"{status}\n",
            seconds=self.seconds,
            image_digest=DIGEST,
            canary=Canary.FAILED,
        )


class SyntheticContainers(InstantContainers):
    """Containers of a host that has whatever is asked for."""

    def effective(self, wanted: Limits) -> Limits:
        return wanted

    def digest(self, image: str) -> str | None:
        return DIGEST

    def cut_short(self) -> None: ...


NOWHERE = Host(containers=lambda *_: nullcontext(SyntheticContainers()), checks=lambda _: {})


def main(arguments: Sequence[str]) -> int:
    """Carry the run out, on from where an earlier one came to; return the exit code."""
    asked = _arguments(arguments)

    try:
        return carry_out(
            _run(asked),
            lambda folder, _: nullcontext(_agent(asked, folder)),
            show_results if asked.show else lambda _: None,
            NOWHERE,
        )
    except EvalkitError as error:
        say(f"evalkit: {error.message}")
        return error.exit_code


def append(path: Path, text: str) -> None:
    """Append at once and whole, beside other threads and in spite of a kill."""
    with path.open("ab", buffering=0) as file:
        os.write(file.fileno(), text.encode())


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.synthetic", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--attempts", type=int, default=1)
    parser.add_argument("--turns", type=int, default=2, help="of each rollout")
    parser.add_argument("--rollout-s", type=float, default=0.0, help="length of a rollout")
    parser.add_argument("--grading-s", type=float, default=0.0, help="length of a grading")
    parser.add_argument("--breaks", type=int, default=0, help="of so many attempts one breaks once")
    parser.add_argument("--asked", type=Path, help="file that gets a line for each rollout")
    parser.add_argument("--show", action="store_true", help="end with the results")
    parser.add_argument("--one-by-one", action="store_true", help="do nothing side by side")
    return parser.parse_args(arguments)


def _run(asked: argparse.Namespace) -> Run:
    suite = SyntheticSuite(asked.tasks, asked.grading_s)
    return Run(
        id=asked.folder.name,
        folder=asked.folder,
        suite=suite,
        runner=ONE_BY_ONE if asked.one_by_one else RUNNER,
        agent="synthetic",
        model="synthetic",
        tasks=tuple(suite.tasks()),
        attempts=asked.attempts,
        command="the same command",
        resume=True,
    )


def _agent(asked: argparse.Namespace, folder: RunFolder) -> SyntheticAgent:
    # Of an attempt that is in the results, the try that broke is past.
    broken = set(folder.results()) if asked.breaks else set()
    return SyntheticAgent(asked.turns, asked.rollout_s, asked.breaks, asked.asked, broken)


def _turn(number: int, sandbox: Sandbox, record: Callable[[Message], None]) -> None:
    began = time.time()
    command: dict[str, JsonValue] = {"command": "ls"}
    usage: dict[str, JsonValue] = {"prompt_tokens": 100, "completion_tokens": 10}
    record({"kind": "turn", "turn": number, "t0": began, "t1": time.time(), "usage": usage})
    record({"kind": "tool", "turn": number, "name": "bash", "arguments": command})
    sandbox.run("ls", timeout_s=1.0)


def _spend(seconds: float) -> None:
    if seconds:  # to sleep for no time costs another thread's turn
        time.sleep(seconds)


def _chance(*words: str) -> int:
    return int.from_bytes(hashlib.sha256(" ".join(words).encode()).digest()[:4])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

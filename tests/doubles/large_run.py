"""`python -m tests.doubles.large_run DIR`: a run folder as large as a real one, in a minute.

The store writes it. Content is made up, and always the same: what a report shows of it says
nothing of any model.
"""

import argparse
import hashlib
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evalkit.store import RunFolder
from evalkit.types import (
    Applied,
    Audit,
    Evidence,
    Fault,
    Finding,
    Finished,
    Flag,
    Outcome,
    StopReason,
    Submission,
    Tally,
    TestStatus,
    Timings,
    Usage,
    Verdict,
)
from tests.doubles.tasks import make_result

_BEGAN = 1_790_000_000.0
_REPOS = (("acme/ledger", "python"), ("acme/board", "typescript"), ("umbra/relay", "go"),
          ("Nimbus/Portal", "javascript"))  # fmt: skip
_WORDS = ("parse", "token", "cache", "index", "route", "schema", "value", "result", "config",
          "query", "buffer", "session", "owner", "range", "limit", "merge")  # fmt: skip
_OUTCOMES = (Outcome.RESOLVED,) * 7 + (Outcome.UNRESOLVED,) * 9 + (
    Outcome.NO_PATCH, Outcome.PATCH_REJECTED, Outcome.TEST_TIMEOUT, Outcome.INFRA_ERROR)  # fmt: skip


def write_large_run(folder: Path, *, tasks: int, turns: int, observation: int = 2000) -> None:
    """Write a run of as many tasks, each of about as many turns with outputs of so many bytes."""
    ids = [_task_id(number) for number in range(tasks)]
    with RunFolder(folder) as run:
        run.describe(
            suite="synthetic", suite_tasks=tasks, revision="0" * 40, selected=[*ids], attempts=1,
            model="Made-up-80B", agent="tools", started=_BEGAN, evalkit="0.1.0",
            runner={"sampling": {"temperature": 0.7}, "limits": {"turns": turns}},
            engine={"engine": "vllm", "version": "0.0", "max_model_len": 262144, "gpus": 8},
            host={"cpus": 64, "memory_gib": 512},
        )  # fmt: skip
        for number, task_id in enumerate(ids):
            chance = random.Random(number)
            count = max(1, round(turns * chance.uniform(0.7, 1.0)))
            write = run.trajectory(task_id, 1)
            for line in _trajectory(chance, count, observation, _BEGAN + 40 * number):
                write(line)
            run.finish(_finished(chance, task_id, count, *_REPOS[number % len(_REPOS)]))


def code(chance: random.Random, size: int) -> str:
    """Return about `size` characters that are as rich in quotes and brackets as code."""
    lines: list[str] = []
    left = size
    while left > 0:
        a, b, c = chance.choices(_WORDS, k=3)
        line = chance.choice(
            (
                f"    def {a}_{b}(self, {c}: str = '{a}') -> dict[str, int]:",
                f'        if {a} < len({b}) and "{c}" in self.{a}:',
                f"            return self._{b}.get({c!r}, {len(lines)})",
                f"        # {a} of the {b}, before its {c} is known",
                "",
            )
        )
        lines.append(f"{len(lines) + 1:6}\t{line}")
        left -= len(lines[-1]) + 1
    return "\n".join(lines) + "\n"


def _task_id(number: int) -> str:
    repo = _REPOS[number % len(_REPOS)][0].replace("/", "__")
    return f"instance_{repo}-{hashlib.sha256(str(number).encode()).hexdigest()[:40]}"


def _trajectory(
    chance: random.Random, count: int, observation: int, began: float
) -> Iterator[dict[str, Any]]:
    yield {"kind": "message", "role": "system", "content": "You mend a repository at /repo."}
    yield {"kind": "message", "role": "user", "content": code(chance, 3000)}
    now = began
    for turn in range(1, count + 1):
        path = f"/repo/src/{chance.choice(_WORDS)}.py"
        command = {"command": f"cd /repo && grep -n '{chance.choice(_WORDS)}' {path} | head -50"}
        usage = {"prompt_tokens": 3000 + 700 * turn, "cached_tokens": 2900 + 700 * (turn - 1),
                 "completion_tokens": chance.randint(60, 400)}  # fmt: skip
        text = f"The {chance.choice(_WORDS)} is made in {path}; let me look who calls it."
        yield {
            "kind": "turn", "turn": turn, "t0": now, "t1": now + 6.5, "ttft_s": 0.8, "itl_s": 0.02,
            "incarnation": 1, "lost_s": 0.0, "finish_reason": "tool_calls", "usage": usage,
            "text": text, "tool_calls": [{"id": f"call_{turn}", "name": "bash",
                                          "arguments": str(command)}],
        }  # fmt: skip
        yield {"kind": "tool", "turn": turn, "name": "bash", "arguments": command, "seconds": 0.4,
               "observation": code(chance, chance.randint(observation // 2, 3 * observation // 2))}  # fmt: skip
        now += 7
    yield {"kind": "stop", "reason": "submitted"}


def _finished(
    chance: random.Random, task_id: str, count: int, repo: str, language: str
) -> Finished:
    outcome = chance.choice(_OUTCOMES)
    good = outcome is Outcome.RESOLVED
    tests = {f"tests/test_{word}.py::test_{word}_{n}": TestStatus.PASSED
             for word in _WORDS for n in range(4)}  # fmt: skip
    total, passed = 5, 5 if good else chance.randint(0, 4)
    tests |= {f"tests/test_new.py::test_{n}": TestStatus.PASSED if n < passed else TestStatus.FAILED
              for n in range(total)}  # fmt: skip
    flags = (Flag.GIT_ARCHAEOLOGY,) if chance.random() < 0.05 else ()
    patch = "" if outcome is Outcome.NO_PATCH else _patch(chance)
    broke = outcome is Outcome.INFRA_ERROR
    finding = Finding(flag=Flag.GIT_ARCHAEOLOGY, turn=min(2, count), excerpt="git log --all")
    return Finished(
        result=make_result(
            task_id=task_id, outcome=outcome, repo=repo, language=language, turns=count,
            flags=flags, prompt_tokens=count * 60_000, cached_tokens=count * 59_000,
            completion_tokens=count * 230, llm_s=count * 6.5, tool_s=count * 0.4, grade_s=40.0,
            wall_s=count * 7.0, f2p_passed=passed, f2p_total=total, p2p_passed=64, p2p_total=64,
            error="the daemon was away" if broke else "",
        ),
        submission=Submission(
            task_id=task_id, attempt=1, patch=patch, stop=StopReason.SUBMITTED, turns=count,
            usage=Usage(completion_tokens=count * 230), timings=Timings(wall_s=count * 7.0),
        ),
        evidence=Evidence(
            applied=Applied.CLEAN if patch else Applied.EMPTY, statuses=tests,
            stdout=code(chance, 20_000), stderr="", fault=Fault.DAEMON if broke else None,
        ),
        verdict=Verdict(
            outcome=outcome, fail_to_pass=Tally(passed=passed, total=total),
            pass_to_pass=Tally(passed=64, total=64),
            reasons=() if good else (f"{total - passed} tests that must pass did not",),
        ),
        audit=Audit(calls=count, findings=(finding,) if flags else ()),
    )  # fmt: skip


def _patch(chance: random.Random) -> str:
    word = chance.choice(_WORDS)
    added = "".join(f"+{line}\n" for line in code(chance, 1500).splitlines())
    return (
        f"diff --git a/src/{word}.py b/src/{word}.py\n--- a/src/{word}.py\n+++ b/src/{word}.py\n"
        f"@@ -10,3 +10,{added.count(chr(10)) + 2} @@ class {word.title()}:\n one\n-two\n{added} three\n"
    )


def main(arguments: Sequence[str]) -> int:
    """Write the run that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.large_run", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", type=int, default=731)
    parser.add_argument("--turns", type=int, default=300)
    asked = parser.parse_args(arguments)
    write_large_run(asked.folder, tasks=asked.tasks, turns=asked.turns)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

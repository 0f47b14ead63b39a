"""A task for tests."""

from typing import Any

from evalkit.types import Outcome, Result, StopReason, Task


def make_task(**changes: Any) -> Task:
    """A valid task; `changes` replace its fields."""
    fields: dict[str, Any] = {
        "id": "demo",
        "suite": "test",
        "repo": "test/demo",
        "language": "python",
        "base_commit": "0" * 40,
        "problem": "It is broken.",
        "image": "evalkit/test/demo:1",
        "workdir": "/repo",
        "fail_to_pass": ("tests/test_a.py::test_new",),
        "pass_to_pass": ("tests/test_a.py::test_old",),
        "test_files": ("tests/test_a.py",),
        "gold_patch": "diff --git a/a.py b/a.py\n",
    }
    return Task(**(fields | changes))


def make_result(**changes: Any) -> Result:
    """A line of results.jsonl; `changes` replace its fields."""
    fields: dict[str, Any] = {
        "key": "k",
        "task_id": "demo",
        "attempt": 1,
        "repo": "test/demo",
        "language": "python",
        "outcome": Outcome.UNRESOLVED,
        "stop": StopReason.SUBMITTED,
        "turns": 2,
        "prompt_tokens": 100,
        "cached_tokens": 0,
        "completion_tokens": 10,
        "queue_s": 0.0,
        "setup_s": 0.1,
        "ttft_s": None,
        "llm_s": 1.0,
        "tool_s": 0.2,
        "grade_s": 0.3,
        "wall_s": 2.0,
        "f2p_passed": 0,
        "f2p_total": 1,
        "p2p_passed": 1,
        "p2p_total": 1,
        "patch_sha256": "0" * 64,
        "image_digest": "sha256:1",
    }
    return Result(**(fields | changes))

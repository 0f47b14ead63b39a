"""Agents that ask no model. The gold patch and the empty one check tasks and grading."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from evalkit.agents.plugin import AgentPlugin
from evalkit.protocols import Message, Sandbox
from evalkit.types import StopReason, Submission, Task


class FixedAgent:
    """Submits a patch known beforehand."""

    def __init__(self, patch_of: Callable[[Task, int], str]) -> None:
        self._patch_of = patch_of

    def solve(
        self,
        task: Task,
        attempt: int,
        open_sandbox: Callable[[], AbstractContextManager[Sandbox]],  # noqa: ARG002 - protocol
        record: Callable[[Message], None],  # noqa: ARG002 - protocol
    ) -> Submission:
        """Return the patch at once."""
        return Submission(
            task_id=task.id,
            attempt=attempt,
            patch=self._patch_of(task, attempt),
            stop=StopReason.SUBMITTED,
        )


GOLD = FixedAgent(lambda task, _: task.gold_patch)
NULL = FixedAgent(lambda *_: "")

GOLD_PLUGIN = AgentPlugin(
    what="submits the known solution; checks tasks and grading, needs no engine",
    open=lambda _: nullcontext(GOLD),
    needs_engine=False,
)
NULL_PLUGIN = AgentPlugin(
    what="submits nothing; every task must stay unsolved, needs no engine",
    open=lambda _: nullcontext(NULL),
    needs_engine=False,
)

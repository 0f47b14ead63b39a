"""One side of a comparison: how often each task was tried and resolved."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ConfigDict, JsonValue

from evalkit.reporting.load import load_run
from evalkit.stats import busy_seconds
from evalkit.store.lines import as_record
from evalkit.types import Outcome, Record, Result


class Tried(Record):
    """The attempts at one task."""

    repo: str = ""
    """Empty where no attempt has a result to tell it."""
    planned: int
    resolved: int = 0
    lost: int = 0
    """Infra errors, and attempts without a result: nobody knows what they would have come to."""

    def __add__(self, other: "Tried") -> "Tried":
        return Tried(
            repo=self.repo or other.repo,
            planned=self.planned + other.planned,
            resolved=self.resolved + other.resolved,
            lost=self.lost + other.lost,
        )


class Side(Record):
    """A run, several runs pooled, or published verdicts."""

    name: str
    """As it was asked for."""
    model: str
    suite: str
    revision: str
    grading: JsonValue = None
    """Version of evalkit's judgement; None where others judged."""
    tasks: Mapping[str, Tried]
    """By id; every selected task is there."""
    task_revisions: Mapping[str, str] | None = None
    """By id, where known. None for verdicts of others, of whose tasks nothing is known."""
    completion_tokens: int = 0
    busy_s: float = 0.0
    """Seconds with a request in flight."""
    caveats: tuple[str, ...] = ()

    @property
    def busy_tok_s(self) -> float | None:
        """Completion tokens a second of the time with a request in flight."""
        return self.completion_tokens / self.busy_s if self.busy_s > 0 else None


class _Facts(Record):
    model_config = ConfigDict(extra="ignore")

    suite: str
    revision: str
    model: str = ""
    grading: JsonValue = None
    task_revisions: tuple[str, ...] = ()


def read_side(folder: Path) -> Side:
    """Read a run folder. Raises StoreError where there is none, or where it is damaged."""
    run = load_run(folder)
    facts = as_record(_Facts, run.manifest, str(folder / "run.json"))
    tasks = {task_id: Tried(planned=run.attempts, lost=run.attempts) for task_id in run.selected}
    for result in run.results:
        tasks[result.task_id] += _tried(result)
    return Side(
        name=str(folder),
        model=facts.model,
        suite=facts.suite,
        revision=facts.revision,
        grading=facts.grading,
        tasks=tasks,
        # Folders of an evalkit that did not write them have none: then no task is known.
        task_revisions=dict(zip(run.selected, facts.task_revisions, strict=False)),
        completion_tokens=sum(turn.completion_tokens for turn in run.requests),
        busy_s=busy_seconds(run.requests),
    )


def pool(sides: Sequence[Side]) -> Side:
    """Put the attempts of several runs together, task by task. They are of one suite."""
    first, *more = sides
    if not more:
        return first
    tasks: dict[str, Tried] = {}
    for side in sides:
        for task_id, tried in side.tasks.items():
            tasks[task_id] = tasks[task_id] + tried if task_id in tasks else tried
    return first.model_copy(
        update={
            "name": f"{first.name} and {len(more)} more",
            "model": " / ".join(dict.fromkeys(side.model for side in sides)),
            "tasks": tasks,
            "completion_tokens": sum(side.completion_tokens for side in sides),
            "busy_s": sum(side.busy_s for side in sides),
            "caveats": tuple(dict.fromkeys(text for side in sides for text in side.caveats)),
        }
    )


def _tried(result: Result) -> Tried:
    """Return what a result changes of an attempt that was planned, and lost so far."""
    known = result.outcome is not Outcome.INFRA_ERROR
    resolved = result.outcome is Outcome.RESOLVED
    return Tried(repo=result.repo, planned=0, resolved=int(resolved), lost=-int(known))

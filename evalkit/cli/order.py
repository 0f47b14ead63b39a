"""In which order a run takes its attempts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean, median

from evalkit.campaign import Todo
from evalkit.cli.settled import Run
from evalkit.cli.wiring import say
from evalkit.errors import StoreError
from evalkit.store.lines import read_manifest, records
from evalkit.types import Outcome, Result, Task

_EARLIER_RUNS = 5


def ordered(run: Run, todo: Iterable[Todo], before: Mapping[str, float]) -> list[Todo]:
    """Go round by round, so that coverage stays even; task by task where images do not stay.

    Slow tasks come first, by the seconds they took `before`, so that none is left to run alone at
    the end; one that nobody timed stands in the middle. An order that the user chose stays.
    """
    tasks: Iterable[Task] = run.tasks
    if before and not run.shuffled:
        middle = median(before.values())
        tasks = sorted(run.tasks, key=lambda task: before.get(task.id, middle), reverse=True)
    place = {task.id: number for number, task in enumerate(tasks)}
    if run.runner.images.keep:
        return sorted(todo, key=lambda one: (one.attempt, place[one.task.id]))
    return sorted(todo, key=lambda one: (place[one.task.id], one.attempt))


def seconds_before(folder: Path, suite: str) -> dict[str, float]:
    """Return how long each task's rollout and grading took, in mean, in earlier runs of the suite.

    Earlier runs are those beside the folder; what cannot be read of them is told and left out.
    """
    seconds = defaultdict(list)
    found = 0
    beside = sorted(folder.absolute().parent.glob("*/results.jsonl"), key=_age)
    for path in beside:
        if found == _EARLIER_RUNS:
            break
        try:
            if read_manifest(path.parent).get("suite") != suite:
                continue
            found += 1
            for _, result in records(Result, path):
                if result.outcome is not Outcome.INFRA_ERROR:
                    seconds[result.task_id].append(result.wall_s + result.grade_s)
        except StoreError as error:
            say(f"not used to order tasks: {error.message}")
    return {task_id: fmean(values) for task_id, values in seconds.items()}


def _age(path: Path) -> float:
    return -path.stat().st_mtime

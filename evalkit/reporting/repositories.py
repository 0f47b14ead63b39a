"""A run's score as its repositories tell it. Loads scipy, so it is asked for where pages are made."""

from collections import Counter
from collections.abc import Mapping

from evalkit.reporting.run import Run
from evalkit.stats import Interval, TaskTries, clustered, without_each_repo
from evalkit.types import Outcome, Record


class ByRepository(Record):
    """What tasks that stand or fall together leave certain."""

    interval: Interval | None
    """Of 95 %, clustered by repository, over every planned attempt; None for one repository."""
    without: Mapping[str, float]
    """The score with one repository left out, 0 to 1, by repository; empty for one."""


def by_repository(run: Run) -> ByRepository:
    """Work it out. A task without a result has not told its repository, and is one of its own."""
    resolved = Counter(one.task_id for one in run.results if one.outcome is Outcome.RESOLVED)
    repos = {one.task_id: one.repo for one in run.results}
    tries = [
        TaskTries(
            task_id=task_id,
            repo=repos.get(task_id, task_id),
            resolved=resolved[task_id],
            attempts=run.attempts,
        )
        for task_id in run.selected
    ]
    return ByRepository(interval=clustered(tries), without=without_each_repo(tries))

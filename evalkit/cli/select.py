"""Which tasks of a suite a run takes."""

import random
import re
from collections.abc import Sequence
from pathlib import Path

from evalkit.config.names import unknown_name
from evalkit.errors import ConfigError
from evalkit.types import Record, Task


class Selection(Record):
    """The filters of the command line, applied in this order; None takes everything."""

    ids: tuple[str, ...] = ()
    pattern: str | None = None
    exclude: Path | None = None
    shuffle: int | None = None
    part: str | None = None


def select(tasks: Sequence[Task], selection: Selection) -> list[Task]:
    """Return the chosen tasks. Raises ConfigError on an unknown id or when none is left."""
    known = {task.id: task for task in tasks}
    chosen = [_known_task(known, name) for name in selection.ids] or list(tasks)
    if selection.pattern is not None:
        regex = _regex(selection.pattern)
        chosen = [task for task in chosen if regex.search(task.id)]
    if selection.exclude is not None:
        left_out = _excluded(selection.exclude)
        chosen = [task for task in chosen if task.id not in left_out]
    if selection.shuffle is not None:
        random.Random(selection.shuffle).shuffle(chosen)  # noqa: S311 - an order, not a secret
    if selection.part is not None:
        chosen = chosen[_slice(selection.part)]
    if not chosen:
        raise ConfigError("no task is left to run", hint="loosen --slice, --filter or --exclude")
    return chosen


def excluded(tasks: Sequence[Task], selection: Selection) -> tuple[str, ...]:
    """Return the ids of tasks that the exclude file leaves out."""
    if selection.exclude is None:
        return ()
    left_out = _excluded(selection.exclude)
    return tuple(task.id for task in tasks if task.id in left_out)


def _known_task(known: dict[str, Task], name: str) -> Task:
    if name not in known:
        raise unknown_name("task", name, known)
    return known[name]


def _regex(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"--filter {pattern!r} is no regular expression: {error}") from error


def _excluded(path: Path) -> set[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    return {line.partition("#")[0].strip() for line in lines}


def _slice(part: str) -> slice:
    match = re.fullmatch(r"(\d*):(\d*)", part)
    if match is None:
        raise ConfigError(f"--slice wants A:B with whole numbers, not {part!r}")
    first, last = (int(number) if number else None for number in match.groups())
    return slice(first, last)

"""Patches made elsewhere: read from a file, and submitted without asking a model."""

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.agents.fixed import FixedAgent
from evalkit.config.names import unknown_name
from evalkit.errors import ConfigError
from evalkit.types import Task

MOST_ATTEMPTS = 1000
_SUGGESTED = 10
"""Unknown ids for which the nearest known one is looked up; a whole foreign file would take minutes."""
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """A predictions file, as far as it is right."""

    patches: Mapping[tuple[str, int], str]
    """By task id and attempt, unchanged."""
    problems: tuple[str, ...]
    """What was left out, or will not be graded as it may have been meant; one line each."""
    model: str | None
    """`model_name_or_path`, where the file names one and only one."""
    sha256: str
    """Of the file."""


class _EntryError(Exception):
    """Why an entry is left out."""


def read_predictions(path: Path, known_ids: Collection[str]) -> Predictions:
    """Read a JSON list, a JSON object by task id, or JSON Lines, of patches for `known_ids`.

    Each entry is in SWE-bench form (`instance_id`, `model_patch`) or SWE-bench Pro form
    (`instance_id`, `patch`, `prefix`); `model_patch` wins, and null is the empty patch, as for the
    official evaluators. Attempts of one task differ by `attempt`, or by `prefix`, numbered as they
    come. Raises ConfigError where the file cannot be read or nothing in it is right.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    # A byte that is not UTF-8 becomes a lone surrogate: its patch is kept, and found unwritable.
    text = content.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    collected = _Collected(known_ids)
    for where, entry in _entries(text, path):
        collected.add(where, entry)
    if not collected.patches:
        told = "; ".join(collected.problems[:_SHOWN]) or "it is empty"
        raise ConfigError(f"{path} holds no prediction for a task of this suite: {told}")
    return Predictions(
        patches=collected.patches,
        problems=tuple(collected.problems),
        model=collected.models.pop() if len(collected.models) == 1 else None,
        sha256=hashlib.sha256(content).hexdigest(),
    )


class _Collected:
    """What is right so far, and what is wrong with the rest."""

    def __init__(self, known_ids: Collection[str]) -> None:
        self.patches: dict[tuple[str, int], str] = {}
        self.problems: list[str] = []
        self.models: set[str] = set()
        self._known = frozenset(known_ids)
        self._unknown = 0
        self._prefixes: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, where: str, entry: object) -> None:
        try:
            self._add(entry)
        except _EntryError as wrong:
            self.problems.append(f"{where}: {wrong}")

    def _add(self, entry: object) -> None:
        if isinstance(entry, _EntryError):
            raise entry
        if not isinstance(entry, dict):
            raise _EntryError(f"should be an object, not {_type(entry)}")
        task_id, patch = self._task_id(entry), _patch(entry)
        attempt = self._attempt(task_id, entry)
        if (task_id, attempt) in self.patches:
            raise _EntryError(f"{task_id} has an attempt {attempt} already; the first is kept")
        self.patches[task_id, attempt] = patch
        model = entry.get("model_name_or_path")
        if isinstance(model, str) and model.strip() and model.isprintable():
            self.models.add(model)
        if not _writable(patch):
            raise _EntryError(f"the patch of {task_id} is not Unicode, so it does not apply")

    def _task_id(self, entry: Mapping[str, object]) -> str:
        if "instance_id" not in entry:
            raise _EntryError("has no instance_id")
        task_id = entry["instance_id"]
        if not isinstance(task_id, str):
            raise _EntryError(f"instance_id should be text, not {_type(task_id)}")
        if task_id in self._known:
            return task_id
        self._unknown += 1
        shown = task_id[:200]
        if self._unknown > _SUGGESTED:
            raise _EntryError(f"unknown task {shown!r}")
        raise _EntryError(unknown_name("task", shown, self._known).message)

    def _attempt(self, task_id: str, entry: Mapping[str, object]) -> int:
        number, prefix = entry.get("attempt"), entry.get("prefix")
        if number is not None:
            if type(number) is not int or not 1 <= number <= MOST_ATTEMPTS:
                raise _EntryError(f"attempt should be a whole number from 1 to {MOST_ATTEMPTS}")
            return number
        if prefix is not None and not isinstance(prefix, str):
            raise _EntryError(f"prefix should be text, not {_type(prefix)}")
        seen = self._prefixes[task_id]
        if (prefix or "") not in seen:
            seen.append(prefix or "")
        return seen.index(prefix or "") + 1


def _patch(entry: Mapping[str, object]) -> str:
    field = next((name for name in ("model_patch", "patch") if name in entry), None)
    if field is None:
        raise _EntryError("has neither model_patch nor patch")
    patch = entry[field]
    if patch is None:
        return ""
    if not isinstance(patch, str):
        raise _EntryError(f"{field} should be text, not {_type(patch)}")
    return patch


def _entries(text: str, path: Path) -> Iterator[tuple[str, object]]:
    """Yield each entry with where it stands; an _EntryError for what is wrong with the JSON."""
    try:
        whole, faults = _parse(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("["):
            raise ConfigError(f"{path} is not JSON: {error}") from error
        yield from _lines(text)
        return
    for fault in faults:
        yield "the file", fault
    if isinstance(whole, dict) and "instance_id" not in whole:
        whole = [
            {"instance_id": key, **(value if isinstance(value, dict) else {"patch": value})}
            for key, value in whole.items()
        ]
    for number, entry in enumerate(whole if isinstance(whole, list) else [whole], 1):
        yield f"entry {number}", entry


def _lines(text: str) -> Iterator[tuple[str, object]]:
    # Not splitlines: that would also split at U+2028, which JSON allows inside a string.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry, faults = _parse(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "nested too deeply")
            yield f"line {number}", _EntryError(f"is not JSON: {reason}")
            continue
        for found in (*faults, entry):
            yield f"line {number}", found


def _parse(text: str) -> tuple[Any, list[_EntryError]]:
    """Read JSON; of a name that stands twice in an object the first counts, and that is told."""
    faults: list[_EntryError] = []

    def first_kept(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for name, value in pairs:
            if name in found:
                fault = f"{name[:200]!r} stands twice in one object; the first is kept"
                faults.append(_EntryError(fault))
            found.setdefault(name, value)
        return found

    return json.loads(text, object_pairs_hook=first_kept, parse_int=_number), faults


def _number(digits: str) -> int | float:
    """Python refuses to read whole numbers of thousands of digits; none here needs twenty."""
    return int(digits) if len(digits) < 20 else math.inf


def _type(value: object) -> str:
    return {type(None): "null", dict: "an object", list: "a list", bool: "a boolean"}.get(
        type(value), "a number" if isinstance(value, int | float) else "text"
    )


def _writable(patch: str) -> bool:
    try:
        patch.encode()
    except UnicodeEncodeError:
        return False
    return True


UNWRITABLE = "The predicted patch is not Unicode: no file can hold it.\n"
"""Submitted in place of such a patch. It does not apply, as the patch itself would not."""


def predictions_agent(patches: Mapping[tuple[str, int], str]) -> FixedAgent:
    """Submit predicted patches; the empty one for an attempt that nobody predicted."""

    def patch_of(task: Task, attempt: int) -> str:
        patch = patches.get((task.id, attempt), "")
        return patch if _writable(patch) else UNWRITABLE

    return FixedAgent(patch_of)

"""One attempt, from its files, as its page shows it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from evalkit.errors import StoreError
from evalkit.reporting.host_paths import without_host_paths
from evalkit.reporting.html.diff import PatchFile, patch_files
from evalkit.reporting.html.text import NOTHING, Excerpt, file_excerpt
from evalkit.reporting.html.trajectory import Step, number, steps, words
from evalkit.reporting.run import Run
from evalkit.store.lines import Damaged, json_object, read
from evalkit.types import Result

MOST_PATCH = 400_000
MOST_LOG = 64_000
_MOST_TESTS = 3000
_FILES = ("stdout.log", "stderr.log")


class Test(NamedTuple):
    """A test that grading saw."""

    name: str
    status: str


class Finding(NamedTuple):
    """A deed of the agent that earned a flag."""

    flag: str
    turn: int | None
    excerpt: str


@dataclass
class Attempt:
    """What a page shows of an attempt."""

    task_id: str
    number: int
    result: Result | None
    steps: list[Step] = field(default_factory=list)
    patch: list[PatchFile] = field(default_factory=list)
    patch_left_out: int = 0
    """Bytes of the patch that are not shown."""
    applied: str = ""
    apply_log: Excerpt = NOTHING
    logs: Mapping[str, Excerpt] = field(default_factory=dict)
    """By file name, those that hold anything."""
    tests: list[Test] = field(default_factory=list)
    tests_left_out: int = 0
    reasons: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    earlier: int = 0
    """Tries of it that broke and were set aside."""
    missing: list[str] = field(default_factory=list)
    """What of its files could not be read, a sentence each."""

    @property
    def failed(self) -> list[Test]:
        """Tests that did not pass, by status and name."""
        return [test for test in self.tests if test.status != "PASSED"]

    @property
    def passed(self) -> list[Test]:
        """The others."""
        return [test for test in self.tests if test.status == "PASSED"]

    def flags_of(self, turn: int | None) -> list[str]:
        """Return what the audit found in a turn."""
        return [one.flag for one in self.findings if turn is not None and one.turn == turn]


def read_attempt(run: Run, task_id: str, attempt: int, result: Result | None) -> Attempt:
    """Read an attempt as far as its files go. Raises StoreError only where the run is gone."""
    shown = Attempt(task_id, attempt, result)
    folder = run.folder(task_id, attempt)
    if folder is None:
        shown.missing.append(f"tasks/{task_id}/{attempt} is not in the run folder")
        return shown

    def damaged(error: StoreError) -> None:
        shown.missing.append(without_host_paths(error.message.replace(f"{folder}/", "")))

    trajectory = _file(folder, "trajectory.jsonl", damaged)
    shown.steps = list(steps(trajectory, damaged)) if trajectory else []
    patch = _cut(folder, "patch.diff", MOST_PATCH, damaged)
    shown.patch = list(patch_files(patch.head))
    shown.patch_left_out = patch.left_out + len(patch.tail.encode("utf-8", "replace"))
    logs = {name: _cut(folder, name, MOST_LOG, damaged) for name in _FILES}
    shown.logs = {name: log for name, log in logs.items() if log.head}
    evidence = _object(folder, "evidence.json", damaged)
    shown.applied = words(evidence.get("applied"))
    shown.apply_log = Excerpt(words(evidence.get("apply_log"))[:MOST_LOG])
    _add_tests(shown, evidence.get("statuses"))
    reasons = _object(folder, "verdict.json", damaged).get("reasons")
    shown.reasons = [words(one) for one in reasons] if isinstance(reasons, list) else []
    shown.findings = list(_findings(_object(folder, "audit.json", damaged).get("findings")))
    shown.earlier = sum(1 for _ in folder.parent.glob(f"{attempt}.*"))
    return shown


def _file(folder: Path, name: str, damaged: Damaged) -> Path | None:
    """Return a file of the folder; None for a link, which may lead anywhere on this machine."""
    path = folder / name
    if path.is_symlink():
        damaged(StoreError(f"{path} is a link, which is not followed"))
        return None
    return path


def _cut(folder: Path, name: str, most: int, damaged: Damaged) -> Excerpt:
    path = _file(folder, name, damaged)
    try:
        return (path and file_excerpt(path, most)) or NOTHING
    except StoreError as error:
        damaged(error)
        return NOTHING


def _add_tests(shown: Attempt, statuses: object) -> None:
    if isinstance(statuses, dict):
        shown.tests = [
            Test(name, words(status)) for name, status in islice(statuses.items(), _MOST_TESTS)
        ]
        shown.tests.sort(key=lambda test: (test.status, test.name))
        shown.tests_left_out = len(statuses) - len(shown.tests)


def _object(folder: Path, name: str, damaged: Damaged) -> Mapping[str, Any]:
    """Read a JSON file; nothing where there is none, or it is damaged."""
    path = _file(folder, name, damaged)
    try:
        content = path and read(path)
        return json_object(content, str(path)) if content else {}
    except StoreError as error:
        damaged(error)
        return {}


def _findings(findings: object) -> Iterator[Finding]:
    for one in findings if isinstance(findings, list) else ():
        if isinstance(one, dict):
            turn = number(one.get("turn"))
            yield Finding(
                words(one.get("flag")),
                None if turn is None else int(turn),
                words(one.get("excerpt")),
            )

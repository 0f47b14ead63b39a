"""What is published about each instance: its grading lists, and the verdicts of nine runs."""

import csv
import gzip
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalkit.config.content import content_root
from evalkit.protocols import Images
from evalkit.reporting.published_runs import catalogue, published_side
from evalkit.suites.pro.rows import parse_names
from evalkit.suites.registry import open_suite

FOLDER = content_root() / "tasks" / "swebench-pro"
LISTS = "swebench_pro_instances.jsonl.gz"
VERDICTS = "published_verdicts"
_CUT = re.compile(r"::.*\[.*[^\]]$")
"""A parameter cut at its first blank: one name stands for several tests, and the last one counts."""
_COUNTED = re.compile(r"\(\d+ assertions\)$|\| test_\d+$")
"""A name with the number of all tests in it: a patch that adds a test of its own breaks it."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """An instance of the public set, and how nine published runs fared on it."""

    id: str
    repo: str
    entries: int
    """Test files or functions that its run script is given."""
    required: int
    """Tests that must pass."""
    inexact: bool
    """Whether the name of one of these is cut or holds a count."""
    graded: int
    """Published runs that have a verdict on it."""
    solved: int
    """Of these, runs that solved it."""
    known: bool
    """Whether known.csv lists it: corrupt, slow, or its known solution was seen to fail."""

    @property
    def share(self) -> float:
        """The part of the published runs that solved it."""
        return self.solved / self.graded if self.graded else 0.0


@dataclass(frozen=True)
class _Row:
    id: str
    repo: str
    entries: Sequence[str]
    required: Sequence[str]


def local(data: Path) -> list[Instance]:
    """Read a folder with the instances' lists and a file of verdicts for each published run."""
    with gzip.open(data / LISTS, "rt", encoding="utf-8") as lines:
        raw = [json.loads(line) for line in lines]
    rows = [
        _Row(
            row["instance_id"],
            row["repo"],
            parse_names(row["selected_test_files_to_run"]),
            parse_names(row["fail_to_pass"]) + parse_names(row["pass_to_pass"]),
        )
        for row in raw
    ]
    return _instances(rows, data / VERDICTS, cache=data)  # which is not asked


def pinned(cache: Path) -> list[Instance]:
    """Fetch dataset and verdicts at the suite's own pins into the cache, once."""
    suite = open_suite("swebench-pro", images=_no_images, say=print, cache=cache)
    rows = [
        _Row(task.id, task.repo, task.test_files, task.fail_to_pass + task.pass_to_pass)
        for task in suite.tasks()
    ]
    return _instances(rows, None, cache=cache)


def _no_images() -> Images:
    raise AssertionError("reading tasks takes no images")


def _instances(rows: Iterable[_Row], verdicts: Path | None, *, cache: Path) -> list[Instance]:
    sides = [
        published_side(name, local=verdicts, cache=cache, say=print) for name in catalogue().runs
    ]
    with (FOLDER / "known.csv").open(encoding="utf-8", newline="") as lines:
        known = {line["instance"] for line in csv.DictReader(lines)}
    return [
        Instance(
            id=row.id,
            repo=row.repo,
            entries=len(set(row.entries)),
            required=len(row.required),
            inexact=any(_CUT.search(name) or _COUNTED.search(name) for name in row.required),
            graded=sum(row.id in side.tasks for side in sides),
            solved=sum(side.tasks[row.id].resolved for side in sides if row.id in side.tasks),
            known=row.id in known,
        )
        for row in rows
    ]

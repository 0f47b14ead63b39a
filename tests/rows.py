"""Rows of the table of attacks and faults (`research/security.md`, section 6) that tests show.

A test shows a row by its mark, `@pytest.mark.row("A7")`, or, parametrised, by an id that begins
with it: `A1-branch`. `pytest --rows` ends with the table of what was really run.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

WANTED = {
    "A1": "future commits on refs",
    "A2": "dangling objects",
    "A3": "a fix with an old date",
    "A4": "hidden places of git",
    "A6": "answers in the image",
    "A7": "egress",
    "A8": "leaks from attempt to attempt",
    "B1": "conftest hooks",
    "B2": "runner configuration",
    "B4": "start-up files",
    "B5": "replaced programs",
    "B7": "runner patched in process",
    "B8": "runner patched for named tests",
    "B9": "early exit",
    "B11": "edited tests",
    "B12": "skipped tests",
    "B14": "hooks and build scripts",
    "B15": "time and chance",
    "D10": "commits and ignored files",
    "D12": "setuid, devices, hard links",
    "E1": "audit of every container",
    "E2": "fork bomb",
    "E3": "memory hog",
    "E5": "output flood",
    "E6": "escape from the timeout",
    "E7": "daemon left behind",
    "E8": "reading of links and devices",
    "E10": "git of the host",
    "E11": "configuration of the image",
    "E12": "privileges",
    "E14": "bad ids",
    "F1": "a container removed from outside",
    "F2": "a daemon that is away or slow",
    "F3": "a missing or wrong image",
    "F4": "a full disk",
    "F5": "429 and 5xx of a model",
    "F7": "an engine that only looks alive",
    "F8": "garbage of a model",
    "F9": "a full context",
    "F11": "a wall clock that jumps",
    "F12": "flaky tests",
    "F13": "contention",
    "G1": "kills at any instant",
    "G3": "the first and the second signal",
    "G4": "SIGTERM",
    "G5": "orphans of a dead run",
    "G6": "a pid used again",
    "G7": "two writers",
    "G9": "broken and begun again",
    "G10": "cleaning twice",
    "G11": "folders that cannot be written",
    "H1": "texts that would be elements of a page",
    "H3": "cells that would be formulas",
    "H9": "paths of the host in a report",
    "I1": "denominators",
    "I2": "estimators of k attempts",
    "I4": "paired tests",
    "I5": "retries of losers",
    "I6": "the same again",
}
"""What issues "Rollouts", "Nothing is lost" and "Numbers people can trust" ask for; other rows may
be marked too."""

ROW = re.compile(r"([A-I]\d{1,2})(?:-|$)")
"""A row at the beginning of a mark's argument or of a parameter's id."""


def table(outcomes: Iterable[tuple[str, bool]]) -> list[str]:
    """Lay out (row, whether the test passed) for every test of a row."""
    passed: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for row, well in outcomes:
        (passed if well else failed)[row] += 1
    rows = sorted({*WANTED, *passed, *failed}, key=lambda row: (row[0], int(row[1:])))
    lines = [f"{'row':<5}{'name':<34}{'passed':>7}{'failed':>7}  result"]
    return lines + [_line(row, passed, failed) for row in rows]


def _line(row: str, passed: Mapping[str, int], failed: Mapping[str, int]) -> str:
    result = "RED" if failed[row] else "green" if passed[row] else "not run"
    counts = f"{passed[row]:>7}{failed[row]:>7}"
    return f"{row:<5}{WANTED.get(row, ''):<34}{counts}  {result}"

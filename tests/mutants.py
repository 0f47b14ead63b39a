"""`make mutants`: each defence is turned off in a copy, and a test of its row must turn red.

mutants.toml lists the defences. A mutant that no named test notices survives, and ends the program
with 1: then either the test shows nothing or the defence defends nothing.
"""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from evalkit.cli.wiring import environment
from evalkit.types import Record

CHECKOUT = Path(__file__).parents[1]
COPIED = ("evalkit", "tests", "tasks", "runners", "reports", "pyproject.toml")
TIMEOUT_S = 1800


class Edit(Record):
    """A text that stands once in a file, and what stands there without the defence."""

    file: str
    text: str
    without: str

    def apply(self, root: Path) -> None:
        path = root / self.file
        path.write_text(path.read_text("utf-8").replace(self.text, self.without), "utf-8")


class Mutant(Record):
    """A defence turned off. Of each of `rows` one of `tests` (ids, or beginnings of) must fail."""

    defence: str
    rows: tuple[str, ...]
    tests: tuple[str, ...]
    edits: tuple[Edit, ...]


class Ended(NamedTuple):
    """One test that ran."""

    name: str
    rows: frozenset[str]
    passed: bool


def load() -> list[Mutant]:
    """Read mutants.toml."""
    data = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    return [Mutant.model_validate(one) for one in data["mutant"]]


def run(root: Path, tests: Iterable[str]) -> list[Ended]:
    """Run tests of the copy at `root`; an error while a fixture is made is a failure too."""
    report = root / "junit.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        [*command, "-o", "junit_family=xunit1", f"--junitxml={report}"],
        cwd=root,
        env={**environment(), "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    if not report.exists():
        raise RuntimeError(f"no test ran:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return [_ended(case) for case in ET.parse(report).iter("testcase")]


def _ended(case: ET.Element) -> Ended:
    rows = [one.get("value", "") for one in case.iter("property") if one.get("name") == "row"]
    passed = case.find("failure") is None and case.find("error") is None
    return Ended(case.get("name", ""), frozenset(rows), passed)


def survivors(mutant: Mutant, ended: Iterable[Ended]) -> list[str]:
    """Return the mutant's rows of which nothing turned red."""
    red = {row for test in ended if not test.passed for row in test.rows}
    return [row for row in mutant.rows if row not in red]


def main(words: Sequence[str]) -> int:
    """Try the mutants whose defence holds every one of `words`; return the exit code."""
    chosen = [one for one in load() if all(word in one.defence for word in words)]
    with tempfile.TemporaryDirectory(prefix="evalkit-mutants-") as folder:
        root = Path(folder)
        _copy(root)
        bad = [test for test in run(root, _union(chosen)) if not test.passed]
        if bad:
            _say("these fail with every defence in place: " + ", ".join(one.name for one in bad))
            return 2
        return int(sum(_alive(root, mutant) for mutant in chosen) > 0)


def _union(mutants: Iterable[Mutant]) -> list[str]:
    return sorted({test for mutant in mutants for test in mutant.tests})


def _alive(root: Path, mutant: Mutant) -> bool:
    """Try one mutant and put the files back; tell how it went and whether it survived."""
    try:
        for edit in mutant.edits:
            edit.apply(root)
        ended = run(root, mutant.tests)
    finally:
        for edit in mutant.edits:
            shutil.copy(CHECKOUT / edit.file, root / edit.file)
    left = survivors(mutant, ended)
    red = [test.name for test in ended if not test.passed]
    verdict = f"SURVIVES in {', '.join(left)}" if left else "red"
    shown = f"{red[0]}{f' and {len(red) - 1} more' if len(red) > 1 else ''}" if red else "no test"
    _say(f"{mutant.defence:<58} {' '.join(mutant.rows):<8} {verdict}: {shown}")
    return bool(left)


def _copy(root: Path) -> None:
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

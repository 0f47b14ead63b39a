"""A suite is checked with its known solutions and with no change, by the real daemon."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from evalkit.config.content import content_root
from tests.docker.cli.conftest import Evalkit

NO_SOLUTION = """\
diff --git a/NOTES b/NOTES
new file mode 100644
--- /dev/null
+++ b/NOTES
@@ -0,0 +1 @@
+This solves nothing.
"""


class Validated(NamedTuple):
    done: "subprocess.CompletedProcess[str]"
    suite: Path
    folder: Path


@pytest.fixture(scope="module")
def broken(evalkit: Evalkit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validated]:
    """Two tasks of quickstart; the known solution of leap-years solves nothing."""
    root = tmp_path_factory.mktemp("validate")
    suite, folder = root / "suite", root / "check"
    shutil.copytree(content_root() / "tasks" / "quickstart", suite)
    file = suite / "suite.yaml"
    content = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(content | {"tasks": ["celsius-formula", "leap-years"]}))
    (suite / "leap-years" / "gold.patch").write_text(NO_SOLUTION)
    done = evalkit("validate", "--suite", str(suite), "--replicas", "2", "-o", str(folder))
    yield Validated(done, suite, folder)
    shutil.rmtree(suite)


def test_a_task_whose_solution_fails_fails_validation(broken: Validated) -> None:
    assert broken.done.returncode == 1


@pytest.mark.parametrize(
    "row", [("celsius-formula", "2/2", "no_patch", "ok"), ("leap-years", "0/2", "gold_fails")]
)
def test_the_table_shows_every_task(broken: Validated, row: tuple[str, ...]) -> None:
    (line,) = (line for line in broken.done.stdout.splitlines() if row[0] in line)
    assert [cell for cell in row if cell not in line] == []


def test_the_bad_task_is_listed_with_why(broken: Validated) -> None:
    listed = (broken.folder / "known-bad.txt").read_text()
    assert listed.startswith("leap-years  # gold_fails: gold unresolved in 2 of 2: fail_to_pass: ")


def test_both_runs_are_kept(broken: Validated) -> None:
    kept = [len((broken.folder / run / "results.jsonl").read_text().splitlines()) for run in RUNS]
    assert kept == [4, 2]


RUNS = ("gold", "empty")


def test_the_list_is_one_that_run_excludes(broken: Validated, evalkit: Evalkit) -> None:
    bad = ("--exclude", str(broken.folder / "known-bad.txt"))
    done = evalkit("run", "--suite", str(broken.suite), *bad, "--dry-run")
    assert done.stdout.splitlines()[-1] == "  celsius-formula"


def test_a_right_suite_passes(evalkit: Evalkit, tmp_path: Path) -> None:
    arguments = ("--suite", "quickstart", "-i", "celsius-formula", "-o", str(tmp_path / "check"))
    assert evalkit("validate", *arguments).returncode == 0


def test_a_suite_that_could_not_be_looked_at_exits_with_3(evalkit: Evalkit, tmp_path: Path) -> None:
    arguments = ("--suite", "quickstart", "-i", "leap-years", "-o", str(tmp_path / "check"))
    done = evalkit("validate", *arguments, extra={"DOCKER_HOST": "unix:///nowhere.sock"})
    assert done.returncode == 3

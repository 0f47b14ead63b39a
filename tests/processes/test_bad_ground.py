"""A run folder where none can be: `evalkit run` says so at once, before anything is started."""

import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.store import RunFolder
from tests.doubles.faults import run, run_with_faults
from tests.doubles.small_disk import small_disk

RUN = ("-m", "evalkit", "run", "--suite", "quickstart", "-i", "leap-years")
GOLD = (*RUN, "--agent", "gold")
ENGINE = (*RUN, "--agent", "tools", "--endpoint", "http://127.0.0.1:9/v1", "--model", "none")

BAD = {
    "no-locks": "flock:error=ENOLCK",
    "no-renames": "rename,renameat,renameat2:error=EIO",
    "no-fsync": "fsync:error=EIO",
}
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module", params=[*BAD, "read-only", "read-only-before-an-engine"])
def refused(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder: Path = tmp_path_factory.mktemp("bad")
    if fault := BAD.get(request.param):
        return run_with_faults([*GOLD, "-o", str(folder / "run")], fault)
    command = GOLD if request.param == "read-only" else ENGINE
    with small_disk(folder, options="loop,ro") as disk:
        return run([sys.executable, *command, "-o", str(disk.path / "run")])


@pytest.mark.row("G11")
def test_a_folder_that_cannot_be_written_ends_the_run_as_what_failed_there(refused: Done) -> None:
    assert refused.returncode == 3, refused.stderr


@pytest.mark.row("G11")
def test_a_folder_that_cannot_be_written_is_told_in_a_line_with_the_way_out(refused: Done) -> None:
    what, way_out = refused.stderr.splitlines()
    assert ("/run" in what, "with -o" in way_out) == (True, True), refused.stderr


@pytest.mark.row("G7")
@pytest.mark.parametrize("more", [(), ("--resume",)])
def test_a_folder_that_another_process_writes_is_refused(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    with RunFolder(tmp_path):
        done = run([sys.executable, *GOLD, "-o", str(tmp_path), *more])
    told = f"{tmp_path} is being written by another evalkit" in done.stderr
    assert (done.returncode, told) == (3, True), done.stderr


@pytest.mark.row("G7")
def test_a_folder_that_holds_a_run_is_not_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    done = run([sys.executable, *GOLD, "-o", str(tmp_path)])
    assert (done.returncode, "go on with it by --resume" in done.stderr) == (2, True), done.stderr

"""`evalkit report` and `evalkit view`, as their user sees them."""

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from evalkit.store import RunFolder
from tests.doubles.finished import make_finished
from tests.unit.cli.test_commands import evalkit


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    with RunFolder(folder) as store:
        store.describe(suite="quickstart", model="Demo-1B", selected=["demo"], attempts=1)
        store.finish(make_finished())
    return folder


def test_the_report_lies_in_the_run_folder_unless_told_otherwise(run: Path) -> None:
    done = evalkit("report", str(run))
    assert (done.returncode, done.stdout) == (0, f"{run}/report/index.html\n")


def test_the_report_lies_where_it_is_told_to(run: Path, tmp_path: Path) -> None:
    evalkit("report", str(run), "-o", str(tmp_path / "out"))
    assert (tmp_path / "out" / "attempts" / "1_demo.html").is_file()


def test_progress_goes_to_stderr(run: Path) -> None:
    assert "1/1" in evalkit("report", str(run)).stderr


def test_a_report_of_several_runs_needs_a_place(run: Path) -> None:
    done = evalkit("report", str(run), str(run))
    assert (done.returncode, "-o" in done.stderr) == (2, True)


def test_a_folder_without_a_run_ends_with_3(tmp_path: Path) -> None:
    assert evalkit("report", str(tmp_path)).returncode == 3


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert evalkit("report", str(tmp_path / "nothing")).returncode == 2


def test_view_tells_its_address_and_ends_with_its_signal(run: Path) -> None:
    command = [sys.executable, "-m", "evalkit", "view", str(run)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as view:
        assert view.stdout is not None
        try:
            with urllib.request.urlopen(view.stdout.readline().strip(), timeout=60) as answer:
                page = answer.read()
        finally:
            view.send_signal(signal.SIGINT)
        assert (view.wait(60), b"Demo-1B" in page) == (130, True)

"""A container that the daemon will not remove: it costs room on the disk, and no result."""

import subprocess
from pathlib import Path

import pytest

from tests.docker.cli.conftest import Evalkit
from tests.doubles.daemon import daemon_that, removes_no_container


@pytest.fixture(scope="module")
def done(evalkit: Evalkit, folder: Path) -> "subprocess.CompletedProcess[str]":
    arguments = ("run", "--suite", "quickstart", "--agent", "gold", "-i", "leap-years")
    with daemon_that(removes_no_container, folder.parent) as host:
        done = evalkit(*arguments, "-o", str(folder), extra={"DOCKER_HOST": host})
    evalkit("clean")
    return done


Done = subprocess.CompletedProcess[str]


def test_the_run_ends_well(done: Done) -> None:
    assert done.returncode == 0, done.stderr


def test_the_score_is_shown(done: Done) -> None:
    assert "1 of 1" in done.stdout


def test_the_container_is_told(done: Done) -> None:
    assert "device or resource busy" in done.stderr


def test_the_way_out_is_told(done: Done) -> None:
    assert "`evalkit clean`" in done.stderr


def test_the_run_folder_says_so(done: Done, folder: Path) -> None:
    assert "container_kept" in (folder / "events.jsonl").read_text()

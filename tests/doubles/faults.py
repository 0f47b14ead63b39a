"""A process of which system calls fail, as they do on bad ground. Needs strace."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from evalkit.cli.wiring import environment

CHECKOUT = Path(__file__).parents[2]


def run_with_faults(
    argv: Sequence[str], *faults: str, only: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run Python on `argv`; each fault is of the form `CALLS:error=EIO:when=1`.

    With `only` calls on that very file or folder fail, and no others.
    """
    calls = ",".join(fault.partition(":")[0] for fault in faults)
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}"]
    if only is not None:
        strace += ["-P", str(only)]
    for fault in faults:
        strace += ["-e", f"inject={fault}"]
    return run([*strace, sys.executable, *argv])


def calls_of(argv: Sequence[str], *calls: str, to: Path) -> list[str]:
    """Run Python on `argv`; return its calls, file descriptors with their paths, by way of `to`."""
    traced = ["strace", "-f", "-y", "-qq", "-s", "4096", "-o", str(to), "-e", ",".join(calls)]
    done = run([*traced, sys.executable, *argv])
    assert done.returncode == 0, done.stderr
    return to.read_text().splitlines()


def run(argv: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Run a program with no Docker daemon in reach."""
    here = {"DOCKER_HOST": "unix:///nowhere/docker.sock", "COLUMNS": "200"}
    return subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=CHECKOUT,
        env={**environment(), **here, "PYTHONDONTWRITEBYTECODE": "1"},
    )

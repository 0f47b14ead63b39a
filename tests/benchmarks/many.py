"""What ten thousand attempts cost whose rollouts and gradings take no time: `make bench`.

Wall clock an attempt, how memory grows after the first tenth, and how long it takes to go on with a
run that is finished: medians of some rounds. Around each it says how quick interpreter and
disk are: a rented machine may be twice as slow an hour later, and such figures do not compare.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from operator import gt
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil
from rich.console import Console

_EARLY = 0.1
"""Share of the attempts after which memory is first looked at."""
_EVERY_S = 0.05
_ADDITIONS = 10_000_000
_APPENDS = 500


@dataclass(frozen=True)
class Look:
    """At a run under way: its process's resident memory, and how many attempts are finished."""

    rss_mib: float
    finished: int


class Round(NamedTuple):
    """What one run showed, or may show at most."""

    attempt_ms: float
    growth_mib: float
    """Of memory, once a tenth of the attempts is finished and while the others run."""
    resume_s: float


MOST = Round(attempt_ms=3.0, growth_mib=8.0, resume_s=2.0)


def main() -> int:
    """Measure, print; 1 where a median missed its target."""
    asked = _arguments()
    console = Console(highlight=False, width=120)
    console.print(f"{psutil.cpu_count()} CPUs, load {psutil.getloadavg()[0]:.1f}")
    rounds = []
    with tempfile.TemporaryDirectory(dir=asked.at) as folder:
        for number in range(asked.rounds):
            console.print(_speed(Path(folder)))
            # A folder of its own: a run reads the results of those beside it.
            rounds.append(_round(Path(folder) / str(number) / "run", asked.tasks, asked.attempts))
            console.print("{:.2f} ms, {:.2f} MiB, {:.2f} s".format(*rounds[-1]))
        console.print(_speed(Path(folder)))
    names = (
        f"ms an attempt, of {asked.tasks * asked.attempts}",
        "MiB more than after the first tenth while the others run",
        "s to go on with the finished run",
    )
    medians = Round(*map(median, zip(*rounds, strict=True)))
    for name, seen, most in zip(names, medians, MOST, strict=True):
        verdict = "met   " if seen <= most else "missed"
        console.print(f"{verdict}  {seen:.2f}: {name}, at most {most:g}, by the median")
    return int(any(map(gt, medians, MOST)))


def _round(run: Path, tasks: int, attempts: int) -> Round:
    sizes = (f"--tasks={tasks}", f"--attempts={attempts}")
    count = tasks * attempts
    begun = time.monotonic()
    looks = list(_watched(run, *sizes))
    took_s = time.monotonic() - begun
    begun = time.monotonic()
    list(_watched(run, *sizes))
    resume_s = time.monotonic() - begun
    early = next(look for look in looks if look.finished >= _EARLY * count)
    # At the end all results are read.
    late = max(look.rss_mib for look in looks if early.finished <= look.finished < count)
    return Round(1000 * took_s / count, late - early.rss_mib, resume_s)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--attempts", type=int, default=10, help="of each task")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at", type=Path, help="folder on the disk that is to be written")
    return parser.parse_args()


def _speed(folder: Path) -> str:
    """Say how long additions take, and lines that are appended and waited for."""
    begun = time.monotonic()
    total = 0
    for number in range(_ADDITIONS):
        total += number
    added_s = time.monotonic() - begun
    with (folder / "appended").open("ab", buffering=0) as file:
        begun = time.monotonic()
        for _ in range(_APPENDS):
            file.write(b"a line\n")
            os.fsync(file.fileno())
        append_ms = 1000 * (time.monotonic() - begun) / _APPENDS
    return f"{_ADDITIONS:,} additions in {added_s:.2f} s, a line on the disk in {append_ms:.2f} ms"


def _watched(run: Path, *arguments: str) -> Iterator[Look]:
    """Let a run go to its end, looking at it all the time."""
    command = [sys.executable, "-m", "tests.doubles.synthetic", str(run), *arguments]
    finished, read = 0, 0
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        seen = psutil.Process(process.pid)
        while process.poll() is None:
            lines = b""
            if (run / "results.jsonl").exists():
                with (run / "results.jsonl").open("rb") as file:
                    file.seek(read)
                    lines = file.read()
            finished, read = finished + lines.count(b"\n"), read + len(lines)
            yield Look(seen.memory_info().rss / 2**20, finished)
            time.sleep(_EVERY_S)
    if process.returncode:
        raise SystemExit(f"the run ended with exit code {process.returncode}")


if __name__ == "__main__":
    raise SystemExit(main())

"""What ten thousand attempts cost whose rollouts and gradings take no time: `make bench`.

Wall clock an attempt, memory after the first thousand and at the end, and how long it takes to go on
with a run that is finished. Before and after it says how quick interpreter and disk are: a rented
machine may be twice as slow an hour later, and figures of such moments do not compare.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console

ATTEMPT_MS = 3.0
GROWTH_MIB = 8.0
RESUME_S = 2.0
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


def main() -> int:
    """Measure, print; 1 where a target was missed."""
    asked = _arguments()
    console = Console(highlight=False, width=120)
    console.print(f"{psutil.cpu_count()} CPUs, load {psutil.getloadavg()[0]:.1f}")
    count = asked.tasks * asked.attempts
    with tempfile.TemporaryDirectory(dir=asked.at) as folder:
        console.print(_speed(Path(folder)))
        run = Path(folder) / "run"
        sizes = (f"--tasks={asked.tasks}", f"--attempts={asked.attempts}")
        begun = time.monotonic()
        looks = list(_watched(run, *sizes))
        took_s = time.monotonic() - begun
        begun = time.monotonic()
        list(_watched(run, *sizes))
        resumed_s = time.monotonic() - begun
        console.print(_speed(Path(folder)))
    early = next(look for look in looks if look.finished >= _EARLY * count)
    late = max(look.rss_mib for look in looks if early.finished <= look.finished < count)
    peak = max(look.rss_mib for look in looks)
    console.print(f"{peak:.0f} MiB at most, as all results are read at the end")
    figures = {
        f"ms an attempt, of {count}, at most {ATTEMPT_MS}": (1000 * took_s / count, ATTEMPT_MS),
        f"MiB more than the {early.rss_mib:.0f} after {early.finished} attempts while the others "
        f"run, at most {GROWTH_MIB}": (late - early.rss_mib, GROWTH_MIB),
        f"s to go on with the finished run, at most {RESUME_S}": (resumed_s, RESUME_S),
    }
    for name, (seen, most) in figures.items():
        console.print(f"{'met   ' if seen <= most else 'missed'}  {seen:.2f}: {name}")
    return int(any(seen > most for seen, most in figures.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--attempts", type=int, default=10, help="of each task")
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

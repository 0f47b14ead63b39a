"""`python -m tests.benchmarks.html_report`: a report of 731 tasks of up to 300 turns.

How long it takes to write, how much memory, how large it is beside its run, and how long a browser
takes from the request to its first paint, by the browser's own clock.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from tests.doubles.browsers import chromium
from tests.doubles.large_run import write_large_run

PAINT_MS = 2000.0
_PAINT = """() => new Promise(done => new PerformanceObserver(list => {
    const first = list.getEntriesByName('first-contentful-paint')[0];
    if (first) done(first.startTime);
}).observe({type: 'paint', buffered: true}))"""
_LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.html_report")
    parser.add_argument("--tasks", type=int, default=731)
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--keep", type=Path, help="make run and report there, and leave them")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="evalkit-bench-") as made:
        folder = asked.keep or Path(made)
        run, report = folder / "run", folder / "report"
        if not run.exists():
            write_large_run(run, tasks=asked.tasks, turns=asked.turns)
        _write(run, report)
        small = _sizes(run, report)
        with chromium() as browser:
            pages = sorted((report / "attempts").iterdir(), key=lambda path: path.stat().st_size)
            quick = [
                _paint(browser, name, path)
                for name, path in (
                    ("index", report / "index.html"),
                    ("an attempt, middle size", pages[len(pages) // 2]),
                    ("an attempt, largest", pages[-1]),
                )
            ]
    return 0 if small and all(quick) else 1


def _write(run: Path, report: Path) -> None:
    began = time.monotonic()
    command = [sys.executable, "-m", "evalkit", "report", str(run), "-o", str(report)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"written in {time.monotonic() - began:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of CPU), "
        f"{used.ru_maxrss / 1024:,.0f} MiB at most"
    )


def _sizes(run: Path, report: Path) -> bool:
    ours, theirs = (
        sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        for folder in (report, run)
    )
    print(
        f"report {ours / 2**20:,.1f} MiB, run folder {theirs / 2**20:,.1f} MiB: {ours / theirs:.2f}"
    )
    return ours <= theirs


def _paint(browser: Browser, name: str, path: Path) -> bool:
    """Open it five times, each in a window without a cache."""
    paints, loads = [], []
    for _ in range(5):
        with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
            page = context.new_page()
            page.goto(path.as_uri(), wait_until="load")
            paints.append(float(page.evaluate(_PAINT)))
            loads.append(float(page.evaluate(_LOADED)))
    print(
        f"{name} ({path.stat().st_size / 2**20:.2f} MiB): first paint after {median(paints):,.0f} ms "
        f"({min(paints):,.0f}..{max(paints):,.0f}), loaded after {median(loads):,.0f} ms"
    )
    return median(paints) < PAINT_MS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`make bench`: evalkit, mini-swe-agent and a bare loop, side by side on this machine."""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
from rich.console import Console

from evalkit.cli.wiring import environment
from tests.benchmarks.ours import bench_task
from tests.benchmarks.phases import Outcome
from tests.benchmarks.report import draw, show, show_ready
from tests.benchmarks.server import bench_server
from tests.benchmarks.workload import TURNS

CHECKOUT = Path(__file__).parents[2]
CONTENDERS = ("ours", "bare", "mini")

QUIET_MINI = {"MSWEA_SILENT_STARTUP": "1", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
"""No banner, and prices from the package instead of the network: nobody is timed on a download."""


def main() -> int:
    """Measure, print, draw where asked; 1 where a contender failed."""
    asked = _arguments()
    console = Console(highlight=False, width=170)
    memory = psutil.virtual_memory().total / 2**30
    console.print(f"{psutil.cpu_count()} CPUs, {memory:.0f} GiB, load {psutil.getloadavg()[0]:.1f}")
    image = bench_task().image
    if asked.ready:
        show_ready(json.loads(_run("ready", [str(asked.ready)])), console)
    outcomes: list[Outcome] = []
    with bench_server() as url:
        for workers in asked.workers:
            for _ in range(asked.repeats):
                for name in asked.only:
                    outcomes.append(_compete(name, url, image, workers, asked.turns))
                    console.print(f"{name}, {workers} workers: done {outcomes[-1].error}")
        crowd = (
            [_compete("ours", url, image, asked.crowd, asked.crowd_turns)] if asked.crowd else []
        )
    show(outcomes, console)
    for one in crowd:
        took = one.start_s + one.loop_s + one.patch_s + one.end_s
        console.print(f"{one.workers} rollouts at once: {one.error or 'no error'}, {took:.0f} s")
    if asked.chart:
        draw(outcomes, asked.chart)
    return int(any(one.error for one in (*outcomes, *crowd)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[16, 64])
    parser.add_argument("--turns", type=int, default=TURNS, help="of each rollout")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=CONTENDERS)
    parser.add_argument(
        "--ready", type=int, default=10, help="rounds of sandbox starts; 0 for none"
    )
    parser.add_argument("--crowd", type=int, default=256, help="rollouts at once; 0 for none")
    parser.add_argument("--crowd-turns", type=int, default=10)
    parser.add_argument("--chart", type=Path, help="draw into this file")
    return parser.parse_args()


def _compete(name: str, url: str, image: str, workers: int, turns: int) -> Outcome:
    arguments = [url, image, str(workers), str(turns)]
    return Outcome(**json.loads(_run(name, arguments)))


def _run(module: str, arguments: Sequence[str]) -> str:
    """Run a module of this folder in a process of its own; return its last line."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments],
        cwd=CHECKOUT,
        env={**environment(), "PYTHONPATH": str(CHECKOUT), **QUIET_MINI},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1]


if __name__ == "__main__":
    raise SystemExit(main())

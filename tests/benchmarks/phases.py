"""So many workers through the phases of a rollout side by side, and what each cost this process.

Start (container and shell), loop (the turns), patch (what is taken out), end (the removal). All
meet between phases, so that the loop alone can be told from the rest. Standard library only.
"""

import json
import re
import resource
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple


class _Mark(NamedTuple):
    wall: float
    cpu: float
    children: float
    peak_mib: float


def _mark() -> _Mark:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Not ru_maxrss: that of the process which started us counts there.
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    assert peak is not None
    return _Mark(
        wall=time.monotonic(),
        cpu=time.process_time(),
        children=children.ru_utime + children.ru_stime,
        peak_mib=int(peak[1]) / 1024,
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a contender did, in seconds, MiB and turns; `cpu` is its process, `children` its own."""

    name: str
    workers: int
    turns: int
    start_s: float
    loop_s: float
    patch_s: float
    end_s: float
    start_cpu_s: float
    loop_cpu_s: float
    patch_cpu_s: float
    end_cpu_s: float
    children_cpu_s: float
    peak_mib: float
    """At the end of the loop, when conversations are longest."""
    left: int
    """Containers still there when it held itself done."""
    error: str = ""


class Phases:
    """The meeting points; each worker calls all three once."""

    def __init__(self, workers: int) -> None:
        self.marks = [_mark()]
        self._barriers = [threading.Barrier(workers, self._note) for _ in range(3)]

    def _note(self) -> None:
        self.marks.append(_mark())

    def ready(self) -> None:
        """Wait until every worker has its container and shell."""
        self._barriers[0].wait()

    def looped(self) -> None:
        """Wait until every worker has taken its turns."""
        self._barriers[1].wait()

    def patched(self) -> None:
        """Wait until every worker has its patch, where it takes one."""
        self._barriers[2].wait()

    def give_up(self) -> None:
        """Let nobody wait for one that failed."""
        for barrier in self._barriers:
            barrier.abort()


def compete(
    name: str,
    workers: int,
    turns: int,
    work: Callable[[int, Phases], None],
    left: Callable[[], int] = lambda: 0,
) -> None:
    """Run `work` in `workers` threads and print the Outcome as JSON."""
    phases = Phases(workers)
    errors: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number, phases)
        except threading.BrokenBarrierError:
            return
        except BaseException as error:  # noqa: BLE001 - told below, with its kind
            errors.append(error)
            phases.give_up()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(guarded, range(1, workers + 1)))
    marks = [*phases.marks, *4 * [_mark()]][:5]
    outcome = Outcome(
        name=name,
        workers=workers,
        turns=turns * workers,
        **_costs(marks),
        left=left(),
        error=f"{len(errors)} failed, first {errors[0]!r}" if errors else "",
    )
    print(json.dumps(asdict(outcome)))


def _costs(marks: list[_Mark]) -> dict[str, float]:
    """Name the differences between begin, all ready, all looped, all patched and done."""
    named = dict(zip(("start", "loop", "patch", "end"), pairwise(marks), strict=True))
    walls = {f"{phase}_s": after.wall - before.wall for phase, (before, after) in named.items()}
    cpus = {f"{phase}_cpu_s": after.cpu - before.cpu for phase, (before, after) in named.items()}
    children = marks[-1].children - marks[0].children
    return {**walls, **cpus, "children_cpu_s": children, "peak_mib": marks[2].peak_mib}

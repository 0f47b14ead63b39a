"""Start an engine, and end all of it when evalkit is gone: `guard.py GRACE_S NICENESS COMMAND...`.

Run in a session of its own, with nothing but the standard library. Standard input is a pipe that
evalkit holds: its end, however evalkit ended, stops the engine. Standard output reports
`pid N` (also the number of the engine's process group) and at last `exit CODE`. The engine
writes to the guard's standard error, which is to be a file: a pipe would block it once full.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>


def main(argv: list[str]) -> int:
    """Guard the command until standard input ends or the command does."""
    grace_s, niceness = float(argv[0]), int(argv[1])
    # Orphans of the engine become ours, so that even one that left the group can be found.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # A handler that raised could do so between the start and the `try`, and leave the engine behind.
    leaving: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: leaving.append(number))
    engine = subprocess.Popen(
        argv[2:], stdin=subprocess.DEVNULL, stdout=2, stderr=2, start_new_session=True
    )
    try:
        _give_way(engine.pid, niceness)
        _report(f"pid {engine.pid}")
        _wait(engine, leaving)
    finally:
        _stop(engine, grace_s)
    _report(f"exit {engine.returncode}")
    return 0


def _give_way(engine: int, niceness: int) -> None:
    """Lower the engine's priority, among the processes of its session and among sessions."""
    if not niceness:
        return
    with contextlib.suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PGRP, engine, niceness)
    # Where the kernel groups a session's processes for scheduling, only this counts: sched(7).
    with contextlib.suppress(OSError):
        Path(f"/proc/{engine}/autogroup").write_text(str(niceness))


def _report(line: str) -> None:
    # Whoever listened may be gone: that is the very case a guard is for.
    with contextlib.suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())


def _wait(engine: subprocess.Popen[bytes], leaving: list[int]) -> None:
    while engine.poll() is None and not leaving:
        readable, _, _ = select.select([0], [], [], 0.2)
        if readable and not os.read(0, 4096):
            return


def _stop(engine: subprocess.Popen[bytes], grace_s: float) -> None:
    """TERM to the group, KILL to whatever of it or below us is left after `grace_s`."""
    _signal_group(engine.pid, signal.SIGTERM)
    end = time.monotonic() + grace_s
    while _descendants(os.getpid()) and time.monotonic() < end:
        time.sleep(0.05)
    while left := _descendants(os.getpid()):
        _signal_group(engine.pid, signal.SIGKILL)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    engine.wait()
    with contextlib.suppress(ChildProcessError):  # until there is no orphan left to reap
        while True:
            os.waitpid(-1, 0)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _descendants(root: int) -> list[int]:
    """Return every process below `root` that has not ended (one that has may wait to be reaped)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # it ended while we looked
            # "PID (NAME) STATE PARENT ...": a name may hold anything, even half a character.
            state, parent = (entry / "stat").read_bytes().rpartition(b")")[2].split()[:2]
            if state != b"Z":
                children.setdefault(int(parent), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

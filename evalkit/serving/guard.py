"""Start an engine, keep what it writes, and end all of it when evalkit is gone.

Run as a file, in a session of its own, with nothing but the standard library. Standard input is a
pipe that evalkit holds: its end, however evalkit ended, stops the engine. Standard output reports
`pid N` (also the number of the engine's process group) and at last `exit CODE`.
"""

import argparse
import contextlib
import ctypes
import os
import select
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
AFTER_S = 30.0
"""So long the command that comes after the engine may take."""
_LAST_WORDS_S = 2.0
_READ = 1 << 16


def main(argv: list[str]) -> int:
    """Guard the command until standard input ends or the command does."""
    wanted = _arguments(argv)
    # Orphans of the engine become ours, so that even one that left the group can be found.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # A handler that raised could do so between the start and the `try`, and leave the engine behind.
    leaving: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: leaving.append(number))
    log = _Log(wanted.log, wanted.limit)
    engine = subprocess.Popen(
        wanted.command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        drain = threading.Thread(target=_drain, args=(engine, log), daemon=True)
        drain.start()
        _give_way(engine.pid, wanted.niceness)
        _report(f"pid {engine.pid}")
        _wait(engine, leaving)
    finally:
        _stop(engine, wanted.grace)
        drain.join(_LAST_WORDS_S)  # somebody outside the group may hold the pipe for ever
        _clear_away(shlex.split(wanted.after), log)
    _report(f"exit {engine.returncode}")
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="guard.py")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--limit", type=int, required=True, help="bytes, then it becomes LOG.1")
    parser.add_argument("--grace", type=float, required=True, help="seconds from TERM to KILL")
    parser.add_argument("--niceness", type=int, default=0)
    parser.add_argument("--after", default="", help="a command to run once the processes are gone")
    parser.add_argument("command", nargs="+", metavar="-- COMMAND")
    return parser.parse_args(argv)


class _Log:
    """A file that makes room for itself: past its limit it becomes `NAME.1`, in place of the last."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path, self._limit = path, limit
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        # A full disk must not stop the engine, nor block it: what cannot be kept is lost.
        with contextlib.suppress(OSError):
            if self._file.tell() and self._file.tell() + len(data) > self._limit:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
                self._file.close()
                self._file = self._path.open("ab", buffering=0)
            self._file.write(data)


def _drain(engine: subprocess.Popen[bytes], log: _Log) -> None:
    """Take what the engine writes as fast as it comes, until nobody can write any more."""
    assert engine.stdout is not None
    while data := os.read(engine.stdout.fileno(), _READ):
        log.write(data)


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


def _clear_away(command: list[str], log: _Log) -> None:
    """Run what removes the rest, such as a container; its word goes into the log."""
    if not command:
        return
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=AFTER_S,
            check=False,
        )
        log.write(done.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        log.write(f"{shlex.join(command)}: {error}\n".encode())


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

"""Sessions of synthetic runs, each a fork of one process that has imported everything.

A session begins stopped, so that a clock or strace can be set on it; SIGCONT lets it go.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.doubles import synthetic

_PR_SET_PTRACER = 0x59616D61


class Sessions:
    """Begins one session after another; what they say is in `log`. For a `with` block."""

    def __init__(self, parent: "subprocess.Popen[str]", log: Path) -> None:
        self._parent, self.log = parent, log

    def begin(self, *arguments: str | Path) -> int:
        """Fork a session with the program's arguments; return its process, which is stopped."""
        return self._ask([str(one) for one in arguments])

    def end(self) -> int:
        """Wait for the session's end; return its exit code, or less than 0 the signal's number."""
        return self._ask([])

    def run(self, *arguments: str | Path, kill_after_s: float | None = None) -> int:
        """Let a session run to its end, or kill it after so many seconds; return as `end` does."""
        pid = self.begin(*arguments)
        os.kill(pid, signal.SIGCONT)
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(pid, signal.SIGKILL)
        return self.end()

    def traced(self, strace: Sequence[str | Path], *arguments: str | Path) -> int:
        """Let a session run under strace with such options; return as `end` does."""
        pid = self.begin(*arguments)
        tracer = subprocess.Popen(["strace", "-f", "-qq", *strace, "-p", str(pid)])
        while "TracerPid:\t0" in Path(f"/proc/{pid}/status").read_text():
            assert tracer.poll() is None, "strace did not start"
            time.sleep(0.001)
        os.kill(pid, signal.SIGCONT)
        code = self.end()
        tracer.wait()
        return code

    def _ask(self, question: list[str]) -> int:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(question) + "\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())


@contextmanager
def sessions(log: Path) -> Iterator[Sessions]:
    """Start the process that sessions are forked from."""
    with (
        log.open("ab") as said,
        subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        ) as parent,
    ):
        yield Sessions(parent, log)


def _fork_on_request() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            # A tracer need not be our parent.
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1))
            os.kill(os.getpid(), signal.SIGSTOP)
            sys.exit(synthetic.main(json.loads(line)))
        os.waitpid(pid, os.WUNTRACED)
        _answer(pid)
        sys.stdin.readline()  # until then its number is nobody else's
        _answer(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _fork_on_request()

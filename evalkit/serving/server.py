"""A vLLM server under its guard: start, the wait until it answers, the stop."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from evalkit.errors import EngineError
from evalkit.serving import guard
from evalkit.serving.fetch import get
from evalkit.serving.launch import HOST, Launch

GRACE_S = 5.0
_TAIL_LINES = 15
_LINE_CHARS = 300  # vLLM logs its whole configuration in one line

_PHASES = (
    ("Starting to load model", "loading weights"),
    ("Loading weights took", "preparing the KV cache"),
    ("Dynamo bytecode transform", "compiling"),
    ("Capturing CUDA graph", "capturing graphs"),
    ("Starting vLLM server", "opening the server"),
)
# The line that names the cause often stands far above the end of the log.
# Warnings that merely mention an error do not count.
_CAUSE = re.compile(r"^(?!.*\b(?:INFO|WARNING)\b).*?(\b\w*(?:Error|Exception): \S.*)")


class VllmServer:
    """One engine process tree. Leaving the block ends it, however the block is left."""

    def __init__(self, launch: Launch, log: Path) -> None:
        self._launch, self._log = launch, log
        self.pid: int | None = None

    def __enter__(self) -> Self:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as output:
            self._begin = output.tell()
            self._guard = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    guard.__file__,
                    str(GRACE_S),
                    str(self._launch.niceness),
                    *self._launch.argv,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=dict(self._launch.env),
                cwd=self._log.parent,
                start_new_session=True,
            )
        self.pid = self._read_pid()
        return self

    def _read_pid(self) -> int:
        assert self._guard.stdout is not None
        first = self._guard.stdout.readline().decode().split()
        if first[:1] != ["pid"]:
            self._stop()
            raise EngineError("the engine did not start\n" + self._tail())
        return int(first[1])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        self._guard.stdin.close()
        try:
            self._guard.wait(GRACE_S + 15)
        except subprocess.TimeoutExpired as error:
            raise EngineError(
                f"the engine's processes (group {self.pid}) do not end, not even when killed",
                hint="they hang in the kernel; a GPU that is stuck needs its host restarted",
            ) from error
        finally:
            self._guard.stdout.close()
        if self._guard.returncode and self.pid:  # somebody ended the guard before its work
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def wait(self, deadline: float, say: Callable[[str], None]) -> None:
        """Return once the server accepts requests; say each phase that its log shows.

        Raises EngineError with the end of the log, at once where the engine dies.
        """
        phases = list(_PHASES)
        while not self._healthy():
            if self._guard.poll() is not None:
                raise EngineError(
                    f"the engine ended while it started ({self._exit()})\n{self._tail()}"
                )
            if time.monotonic() > deadline:
                raise EngineError(
                    f"the engine did not start within its time\n{self._tail()}",
                    hint="--set engine.start_timeout_s=SECONDS gives it more",
                )
            phases = self._say_phases(phases, say)
            time.sleep(0.5)

    def _say_phases(
        self, left: list[tuple[str, str]], say: Callable[[str], None]
    ) -> list[tuple[str, str]]:
        written = self._written()
        reached = [place for place, (mark, _) in enumerate(left) if mark in written]
        for place in reached:
            say(f"engine: {left[place][1]}")
        return [phase for place, phase in enumerate(left) if place not in reached]

    def _healthy(self) -> bool:
        try:
            get(f"http://{HOST}:{self._launch.port}/health", timeout_s=5)
        except OSError:
            return False
        return True

    def _exit(self) -> str:
        assert self._guard.stdout is not None
        return self._guard.stdout.read().decode().strip() or "no exit code"

    def _written(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._begin)
            return log.read().decode(errors="replace")

    def _tail(self) -> str:
        lines = [line for line in self._written().splitlines() if line.strip()]
        tail = [line[:_LINE_CHARS] for line in lines[-_TAIL_LINES:]]
        cause = next(
            (found[1][:_LINE_CHARS] for line in lines if (found := _CAUSE.match(line))), ""
        )
        if cause and not any(cause in line for line in tail):
            tail = [f"first error: {cause}", *tail]
        return "\n".join([*tail, f"(whole log: {self._log})"])

"""An engine's server under its guard: start, the wait until it answers, the stop."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

from evalkit.errors import EngineError
from evalkit.serving import guard
from evalkit.serving.fetch import get
from evalkit.serving.launch import HOST, Launch
from evalkit.serving.log import EngineLog
from evalkit.serving.phases import Tell

GRACE_S = 5.0
LOG_BYTES = 64 << 20
"""What an engine writes past this begins a new file; one older is kept beside it."""


class EngineServer:
    """One engine process tree. Leaving the block ends it, however the block is left."""

    def __init__(self, launch: Launch, log: Path) -> None:
        self._launch, self._path = launch, log.absolute()
        self.pid: int | None = None
        self._how: str | None = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._log = EngineLog(self._path)
        with self._path.open("ab") as own_errors:
            self._guard = subprocess.Popen(
                self._guard_argv(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=own_errors,
                env=dict(self._launch.env),
                cwd=self._path.parent,
                start_new_session=True,
            )
        self.pid = self._read_pid()
        return self

    def _guard_argv(self) -> list[str]:
        options = {
            "--log": self._path,
            "--limit": LOG_BYTES,
            "--grace": GRACE_S,
            "--niceness": self._launch.niceness,
            "--after": shlex.join(self._launch.after),
        }
        argv = [sys.executable, "-I", guard.__file__]
        argv += [f"{name}={value}" for name, value in options.items()]
        return [*argv, "--", *self._launch.argv]

    def _read_pid(self) -> int:
        assert self._guard.stdout is not None
        first = self._guard.stdout.readline().decode().split()
        if first[:1] != ["pid"]:
            self._stop()
            raise EngineError("the engine did not start\n" + self._log.end())
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
            self._guard.wait(GRACE_S + 15 + (guard.AFTER_S if self._launch.after else 0))
        except subprocess.TimeoutExpired as error:
            raise EngineError(
                f"the engine's processes (group {self.pid}) do not end, not even when killed",
                hint="they hang in the kernel; a GPU that is stuck needs its host restarted",
            ) from error
        finally:
            self.ended()
            self._guard.stdout.close()
            self._log.close()
        if self._guard.returncode and self.pid:
            self._do_as_the_guard_would(self.pid)

    def _do_as_the_guard_would(self, group: int) -> None:
        """Somebody ended the guard before its work."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        if self._launch.after:
            subprocess.run(
                self._launch.after,
                capture_output=True,
                timeout=guard.AFTER_S,
                env=dict(self._launch.env),
                check=False,
            )

    def wait(self, deadline: float, tell: Tell, leaving: Event | None = None) -> None:
        """Return once the server accepts requests; `tell` hears how far the start has come.

        Raises EngineError with the end of the log, at once where the engine dies or `leaving` is
        set.
        """
        leaving = leaving or Event()
        told = self._log.progress
        while not self._healthy():
            if how := self.ended():
                raise EngineError(f"the engine ended while it started ({how})\n{self._log.end()}")
            if time.monotonic() > deadline:
                raise EngineError(
                    f"the engine did not start within its time\n{self._log.end()}",
                    hint="--set engine.start_timeout_s=SECONDS gives it more",
                )
            self._log.read()
            if self._log.progress != told:
                told = self._log.progress
                tell(told.phase, told.share)
            if leaving.wait(0.5):
                raise EngineError("the start was given up: the run is being stopped")

    def ended(self) -> str | None:
        """Say how the engine ended, once all of it is gone; None until then."""
        if self._guard.poll() is None:
            return None
        if self._how is None:
            assert self._guard.stdout is not None
            self._how = _in_words(self._guard.stdout.read().decode(), self._guard.returncode)
        return self._how

    def written(self) -> str:
        """Return what it wrote since its start: the errors it named, and the last lines."""
        return self._log.written()

    def _healthy(self) -> bool:
        try:
            get(f"http://{HOST}:{self._launch.port}/health", timeout_s=5)
        except OSError:
            return False
        return True


def _in_words(report: str, guard_code: int) -> str:
    """Put the guard's last report, `exit CODE`, into words."""
    word, _, code = report.strip().rpartition(" ")
    if word != "exit":
        return f"its guard ended, exit {guard_code}"
    number = int(code)
    return f"exit {number}" if number >= 0 else f"killed by {signal.Signals(-number).name}"

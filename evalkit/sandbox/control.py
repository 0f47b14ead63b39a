"""The control shell: a second stream into a sandbox, for what must not depend on the agent's.

It is opened with the sandbox, before the agent can replace a program or use up the pid limit.
"""

import base64
import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files

from evalkit.errors import SandboxError
from evalkit.sandbox.shell import CUT_OFF, PLAIN_SH, Shell
from evalkit.sandbox.stream import Exec
from evalkit.types import CommandResult

READ_LIMIT = 10 * 2**20
WRITE_CHUNK = 192 * 1024
TIMEOUT_S = 60.0
NOTICE_S = 2.0
_CUT = frozenset((0, 126))
"""How it ends where the daemon lets go of it: at the end of its input, or told by the daemon.
By itself it never does, and who kills it leaves another code."""


class Control:
    """Kills, reads and writes inside one container."""

    def __init__(
        self, start: Callable[[list[str]], Exec], *, workdir: str, alive: Callable[[], bool]
    ) -> None:
        self._alive = alive
        self._shell = Shell(
            lambda: start(PLAIN_SH),
            cwd=workdir,
            setup=files("evalkit.sandbox").joinpath("control.sh").read_text(encoding="utf-8"),
            kill=lambda _: None,  # its commands are ours and short
            alive=alive,
        )
        self._shell.open()

    def close(self) -> None:
        """Drop the connection."""
        self._shell.close()

    def connected(self) -> bool:
        """Whether the daemon did not let go of it: then of no connection into the container.

        Raises SandboxError where it ended with the container.
        """
        code = self._shell.ended()
        if code is not None and code not in _CUT:
            self._await_end()
        return code not in _CUT

    def _await_end(self) -> None:
        """Give the daemon time to notice that the container ended, where all in it was killed."""
        deadline = time.monotonic() + NOTICE_S
        while time.monotonic() < deadline:
            if not self._alive():
                raise SandboxError("the sandbox's container ended while a command ran")
            time.sleep(0.1)

    def kill_tree(self, pid: int) -> None:
        """Kill a process of the container and everything below it."""
        self._run(f"evalkit_kill {pid} 2>/dev/null")

    @contextmanager
    def stillness(self) -> Iterator[None]:
        """Stop every other process of the container for a while: a tree should hold still.

        The daemon's own pause needs a cgroup freezer, and on a busy machine was seen to fail.
        """
        self._run("kill -STOP -1")
        try:
            yield
        finally:
            self._run("kill -CONT -1")

    def read_file(self, path: str) -> bytes:
        """Read a regular file of at most READ_LIMIT bytes."""
        keep = READ_LIMIT * 2
        result = self._run(f"evalkit_read {_quote(path)} {READ_LIMIT}", keep=keep)
        _check(result, path)
        if result.omitted_bytes:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
        return base64.b64decode(result.output)

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file anew, making its parent folders; its mode, where it has one, stays."""
        name = _quote(path)
        _check(self._run(f"evalkit_parent {name} && : >{name}"), path)
        for start in range(0, len(content), WRITE_CHUNK):
            text = base64.b64encode(content[start : start + WRITE_CHUNK]).decode("ascii")
            _check(self._run(f"evalkit_append {name} {text}"), path)

    def _run(self, command: str, keep: int = 4096) -> CommandResult:
        result = self._shell.run(command, timeout_s=TIMEOUT_S, keep=keep)
        if result.shell_died and result.exit_code in _CUT:
            raise SandboxError(CUT_OFF)
        return result


def _quote(path: str) -> str:
    return "'" + path.replace("'", "'\\''") + "'"


def _check(result: CommandResult, path: str) -> None:
    """Raise the OSError that `open` would; codes are those of control.sh."""
    code = result.exit_code
    if code == 0:
        return
    if code in {errno.ENOENT, errno.EISDIR, errno.EINVAL, errno.EFBIG}:
        raise OSError(code, os.strerror(code), path)
    raise OSError(errno.EIO, result.output.strip() or os.strerror(errno.EIO), path)

"""One persistent shell over one exec stream.

Each command goes to the shell's stdin inside `eval`, followed by a line that prints a fresh random
mark, the exit code, the shell's pid, its working directory and its exported variables. Output ends
at the mark, so nothing that still holds stdout can make us wait. A shell that ended, by `exit`,
`set -e` or a timeout, is replaced; the next one starts with the last known directory and exports.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from evalkit.errors import SandboxError
from evalkit.sandbox.kept import Kept
from evalkit.sandbox.stream import END, STDOUT, Exec
from evalkit.types import CommandResult

OUTPUT_KEPT = 512 * 1024
EXPORTS_KEPT = 1024 * 1024
START_S = 60.0
DRAIN_S = 0.2
ANSWER_S = 5.0
CUT_OFF = "the daemon cut the connections into the sandbox"

BASH_OR_SH = ["/bin/sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec sh"]
PLAIN_SH = ["/bin/sh"]

# Descriptor 9 keeps the stream: a command's own `exec >file` must not lose it. It is closed while
# a command runs, so that programs do not inherit it. `command` keeps dash alive on a syntax error;
# backslashes keep aliases out; the mark is cut in two, so that a trace cannot print it whole.
# The empty line is for bash, which after a syntax error drops the rest of what it has read.
_REQUEST = """\
\\command eval {command} </dev/null >&9 2>&1 9>&-

{{ \\command printf '%s%s%s %s %s\\0' {half} {other_half} "$?" "$$" "${{PWD-}}"
\\command export -p
\\command printf '%s%s' {half} {other_half}; }} >&9
"""
_OPEN = "exec 9>&1\n"


@dataclass(frozen=True)
class _Reply:
    exit_code: int
    pid: int
    cwd: str
    exports: str


class Shell:
    """A shell in a container. For one thread.

    `start` opens the process; `setup` is run in every new shell; `kill`, given the shell's pid,
    ends the shell and everything below it; `alive` says whether the container itself still runs,
    `connected` whether the daemon still holds other connections into it.
    """

    def __init__(
        self,
        start: Callable[[], Exec],
        *,
        cwd: str,
        kill: Callable[[int], None],
        alive: Callable[[], bool],
        connected: Callable[[], bool] = lambda: True,
        setup: str = "",
    ) -> None:
        self._start, self._kill, self._alive = start, kill, alive
        self._connected = connected
        self._setup, self._home = setup, cwd
        self._cwd, self._exports = cwd, ""
        self._exec: Exec | None = None
        self._pid = 0
        self._early = b""

    def run(self, command: str, *, timeout_s: float, keep: int = OUTPUT_KEPT) -> CommandResult:
        """Run a command, keeping `keep` bytes of its output.

        Raises ValueError for a command with a NUL, SandboxError where the container is gone.
        """
        if "\0" in command:
            raise ValueError("a command cannot hold a NUL character")
        output = Kept(keep)
        shell = self._ready(output)
        if shell is None:
            return CommandResult(output="no shell starts here\n", exit_code=126, shell_died=True)
        deadline = time.monotonic() + timeout_s
        try:
            reply = self._exchange(shell, command, output, deadline)
        except TimeoutError:
            self._refuse_ended("the sandbox's container ended while a command ran")
            self._kill(self._pid)
            self.close()
            return _result(output, None, timed_out=True, shell_died=True)
        if reply is not None:
            return _result(output, reply.exit_code)
        return _result(output, self._buried(shell), shell_died=True)

    def open(self) -> None:
        """Start the shell now instead of at the first command."""
        self._ready(Kept(0))

    def ended(self) -> int | None:
        """Return how an idle shell ended; None where it answers, or cannot be asked."""
        if self._exec is None:
            return None
        try:
            answer = self._exchange(self._exec, ":", Kept(0), time.monotonic() + ANSWER_S)
        except TimeoutError:  # somebody stopped it; what it answers late is not wanted
            self.close()
            return None
        return self._exec.exit_code() if answer is None else None

    def close(self) -> None:
        """Drop the connection."""
        if self._exec is not None:
            self._exec.stream.close()
        self._exec = None
        self._early = b""

    def _ready(self, output: Kept) -> Exec | None:
        """Return a living shell, a new one where need be; None where none can be started."""
        if self._exec is not None:
            output.write(self._early)
            self._early = b""
            if _drain(self._exec, output):
                return self._exec
            self.close()
            self._refuse_ended("the sandbox's container has ended")
            self._refuse_cut()
        try:
            shell = self._exec = self._start()
            shell.stream.send(_OPEN.encode(), time.monotonic() + START_S)
            reply = self._exchange(shell, self._opening(), Kept(0), time.monotonic() + START_S)
        except (SandboxError, OSError):
            reply = None
        if reply is not None:
            return shell
        self.close()
        self._refuse_ended("the sandbox's container has ended")
        return None

    def _opening(self) -> str:
        here, home = _quote(self._cwd), _quote(self._home)
        return f"{self._setup}\n{self._exports}\ncd -- {here} || cd -- {home} || cd /\n"

    def _exchange(self, shell: Exec, command: str, output: Kept, deadline: float) -> _Reply | None:
        """Send a command and read up to its reply; None where the shell ended instead."""
        mark = secrets.token_hex(16).encode()
        halves = {"half": mark[:16].decode(), "other_half": mark[16:].decode()}
        request = _REQUEST.format(command=_quote(command), **halves)
        try:
            shell.stream.send(request.encode("utf-8", "surrogateescape"), deadline)
        except ConnectionError:
            return None
        first = _read_to(shell, mark, output.write, b"", deadline)
        if first is None:
            return None
        trailer = Kept(EXPORTS_KEPT)
        rest = _read_to(shell, mark, trailer.write, first, deadline)
        if rest is None:
            return None
        self._early = rest
        reply = _parse(trailer)
        self._pid, self._cwd = reply.pid, reply.cwd
        if not trailer.omitted:
            self._exports = reply.exports
        return reply

    def _buried(self, shell: Exec) -> int:
        """Return how the shell ended, and let go of it."""
        try:
            self._refuse_ended("the sandbox's container ended while a command ran")
            code = shell.exit_code()
            self._refuse_cut()
        finally:
            self.close()
        return code

    def _refuse_ended(self, why: str) -> None:
        if not self._alive():
            raise SandboxError(why)

    def _refuse_cut(self) -> None:
        if not self._connected():  # then a shell's end says nothing of its command
            raise SandboxError(CUT_OFF)


def _drain(shell: Exec, output: Kept) -> bool:
    """Take what background jobs printed since the last command; False where the shell ended."""
    deadline = time.monotonic() + DRAIN_S
    while shell.stream.waiting():
        try:
            kind, piece = shell.stream.read(deadline)
        except TimeoutError:
            return True  # a job prints without end; the rest comes with the command's own output
        if kind == END:
            return False
        if kind == STDOUT:
            output.write(piece)
    return True


def _read_to(
    shell: Exec, mark: bytes, write: Callable[[bytes], object], carry: bytes, deadline: float
) -> bytes | None:
    """Hand everything before `mark` to `write`; return what followed it, None at the end."""
    while True:
        before, found, after = carry.partition(mark)
        if found:
            write(before)
            return after
        split = max(len(carry) - len(mark) + 1, 0)
        write(carry[:split])
        carry = carry[split:]
        try:
            kind, piece = shell.stream.read(deadline)
        except TimeoutError:
            write(carry)
            raise
        if kind == END:
            write(carry)
            return None
        if kind == STDOUT:
            carry += piece


def _parse(trailer: Kept) -> _Reply:
    head, _, exports = trailer.text("surrogateescape").partition("\0")
    code, pid, cwd = head.split(" ", 2)
    return _Reply(int(code), int(pid), cwd, exports)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _result(
    output: Kept, exit_code: int | None, *, timed_out: bool = False, shell_died: bool = False
) -> CommandResult:
    return CommandResult(
        output=output.text(),
        exit_code=exit_code,
        timed_out=timed_out,
        shell_died=shell_died,
        omitted_bytes=output.omitted,
    )

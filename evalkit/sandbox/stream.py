"""One process in a container as a stream: the daemon's multiplexed frames, read by us.

A frame is one byte that says which stream, three zero bytes, four bytes of length (big endian),
and the payload.
"""

import contextlib
import select
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

from evalkit.errors import SandboxError
from evalkit.sandbox.daemon import docker_errors

if TYPE_CHECKING:
    from docker import APIClient

STDOUT = 1
STDERR = 2
END = 0
RECEIVE = 2**16


class FrameStream:
    """A hijacked connection of the daemon. Not for use by two threads at once."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection  # holds the HTTP response, and with it the socket, open
        self._socket = getattr(connection, "_sock", connection)
        self._pending = b""
        self._kind = END
        self._left = 0

    def send(self, data: bytes, deadline: float) -> None:
        """Write to the process. Raises TimeoutError, or ConnectionError where it reads no more."""
        left = memoryview(data)
        while left:
            self._await_room(deadline)
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            left = left[self._socket.send(left) :]

    def _await_room(self, deadline: float) -> None:
        """Wait until some can be written.

        Where a process ended without reading all, the daemon ends its output and keeps the input
        open, which it reads no more: on an idle daemon for up to two minutes.
        """
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT | select.POLLRDHUP)
        ready = poll.poll(max(deadline - time.monotonic(), 0.001) * 1000)
        if not ready:
            raise TimeoutError
        if not ready[0][1] & select.POLLOUT:
            raise BrokenPipeError("the process ended before it had read all")

    def read(self, deadline: float) -> tuple[int, bytes]:
        """Return the next piece and its stream; (END, b"") after the last.

        `deadline` is a `time.monotonic()` instant; TimeoutError after it.
        """
        while True:
            if self._left and self._pending:
                piece = self._pending[: self._left]
                self._pending = self._pending[self._left :]
                self._left -= len(piece)
                return self._kind, piece
            if not self._left and len(self._pending) >= 8:
                self._kind, self._left = struct.unpack_from(">BxxxL", self._pending)
                self._pending = self._pending[8:]
            elif not self._receive(deadline):
                return END, b""

    def _receive(self, deadline: float) -> bool:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        try:
            data = self._socket.recv(RECEIVE)
        except TimeoutError:
            raise
        except OSError:  # reset, or closed by another thread: either way the end
            return False
        self._pending += data
        return bool(data)

    def waiting(self) -> bool:
        """Whether there is something to read, be it the end."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(self._pending or poll.poll(0))

    def close(self) -> None:
        """Drop the connection; the process in the container is not touched."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads
        getattr(self._connection, "_response", self._connection).close()
        self._socket.close()


class Exec:
    """One process started in a running container, with its stdin and its output."""

    def __init__(self, client: "APIClient", container_id: str, argv: list[str]) -> None:
        self._client = client
        with docker_errors(f"cannot start {argv[0]} in container {container_id[:12]}"):
            # The folder of the image may be gone by now; "/" is not.
            created = client.exec_create(container_id, argv, stdin=True, workdir="/")
            self._id = created["Id"]
            self.stream = FrameStream(client.exec_start(self._id, socket=True))

    def exit_code(self) -> int:
        """Return the exit code of the process, which has ended or is about to."""
        deadline = time.monotonic() + 5.0
        while time.monotonic() < deadline:
            with docker_errors("cannot ask how a process in a container ended"):
                state = self._client.exec_inspect(self._id)
            if not state["Running"] and state["ExitCode"] is not None:
                return int(state["ExitCode"])
            time.sleep(0.01)
        raise SandboxError("a process in a container closed its output but did not end")

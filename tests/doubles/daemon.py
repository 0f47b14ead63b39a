"""The real Docker daemon behind a socket of our own, which may answer in its place or late."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer

DAEMON = "/var/run/docker.sock"
REFUSAL = b'{"message": "device or resource busy"}'
ANSWER = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(REFUSAL), REFUSAL)
)


Meets = Callable[[str], bytes | None]
"""Takes a request's first line; returns the answer to it, None to ask the real daemon."""


def removes_no_container(request: str) -> bytes | None:
    return ANSWER if request.startswith("DELETE ") and "/containers/" in request else None


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128  # of five, more clients at once are refused, as the daemon does not

    def __init__(self, path: Path, meets: Meets) -> None:
        self.meets = meets
        super().__init__(str(path), _Handler)


class _Handler(StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(DAEMON)
            answers = threading.Thread(target=_pour, args=(daemon, self.request), daemon=True)
            answers.start()
            # A client waits for each answer before it asks again, so a request begins a chunk.
            while chunk := self.request.recv(2**16):
                answer = self.server.meets(chunk.partition(b"\r\n")[0].decode("latin-1"))
                if answer is None:
                    daemon.sendall(chunk)
                else:
                    self.request.sendall(answer)
            daemon.shutdown(socket.SHUT_WR)
            answers.join(timeout=60)


def _pour(source: socket.socket, sink: socket.socket) -> None:
    try:
        while chunk := source.recv(2**16):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:  # the client hung up first, as it may
        return


@contextmanager
def daemon_that(meets: Meets, folder: Path) -> Iterator[str]:
    """Serve; yield what DOCKER_HOST has to be."""
    path = folder / "docker.sock"
    with _Server(path, meets) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"unix://{path}"
        server.shutdown()

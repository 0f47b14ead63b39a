"""The real Docker daemon behind a socket of our own, which refuses to remove containers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer

DAEMON = "/var/run/docker.sock"
REFUSAL = b'{"message": "device or resource busy"}'
ANSWER = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(REFUSAL), REFUSAL)
)


class _Handler(StreamRequestHandler):
    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(DAEMON)
            answers = threading.Thread(target=_pour, args=(daemon, self.request), daemon=True)
            answers.start()
            # A client waits for each answer before it asks again, so a request begins a chunk.
            while chunk := self.request.recv(2**16):
                if chunk.startswith(b"DELETE ") and b"/containers/" in chunk.partition(b"\r\n")[0]:
                    self.request.sendall(ANSWER)
                else:
                    daemon.sendall(chunk)
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
def daemon_that_keeps_containers(folder: Path) -> Iterator[str]:
    """Serve; yield what DOCKER_HOST has to be."""
    path = folder / "docker.sock"
    with ThreadingUnixStreamServer(str(path), _Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"unix://{path}"
        server.shutdown()

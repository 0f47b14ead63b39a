"""The real Docker daemon behind a socket of our own that fails, on command, as a daemon can."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

DAEMON = "/var/run/docker.sock"
CHUNK = 2**16


class DockerProxy:
    """Passes everything on until told otherwise. `host` is what DOCKER_HOST has to be."""

    def __init__(self, path: Path) -> None:
        self.host = f"unix://{path}"
        self.asked: list[str] = []
        """First lines of the requests that came, in order."""
        self._path = path
        self._delay_s = 0.0
        self._refuses = False
        self._hangs_at: Callable[[str], bool] = lambda _: False
        self._flows = threading.Event()
        self._flows.set()
        self._listening: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def serve(self) -> None:
        """Pass everything on, what was held back by `hang` first."""
        self._delay_s = 0.0
        self._refuses = False
        self._hangs_at = lambda _: False
        if self._listening is None:
            self._listen()
        self._flows.set()

    def refuse(self) -> None:
        """Turn new connections away, and cut old ones where something is asked on them."""
        self._refuses = True
        self._stop_listening()

    def drop(self) -> None:
        """Cut every connection."""
        with self._lock:
            cut, self._open = self._open, set()
        for one in cut:
            _cut(one)

    def stop(self) -> None:
        """Be away, as a daemon that ended: `serve` is its next start."""
        self.refuse()
        self.drop()

    def hang(self) -> None:
        """Accept, and say nothing: not a byte passes until `serve`."""
        self._flows.clear()

    def hang_at(self, matches: Callable[[str], bool]) -> None:
        """Fall silent with the next request whose first line matches: it is still passed on."""
        self._hangs_at = matches

    def delay(self, seconds: float) -> None:
        """Pass each request on so much later."""
        self._delay_s = seconds

    def await_request(self, matches: Callable[[str], bool], *, after: int = 0) -> None:
        """Wait for a request whose first line matches; those that came before do not count."""
        deadline = time.monotonic() + 60
        while not any(matches(line) for line in self.asked[after:]):
            assert time.monotonic() < deadline, self.asked[after:]
            time.sleep(0.02)

    def close(self) -> None:
        self._stop_listening()
        self._flows.set()
        self.drop()

    def _listen(self) -> None:
        self._path.unlink(missing_ok=True)
        listening = self._listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self._path))
        listening.listen(256)
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def _stop_listening(self) -> None:
        if self._listening is not None:
            _cut(self._listening)  # wakes the thread that accepts
            self._listening.close()
        self._listening = None

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._flows.wait()
        with client, socket.socket(socket.AF_UNIX) as daemon:
            with self._lock:
                self._open |= {client, daemon}
            daemon.connect(DAEMON)
            answers = threading.Thread(target=self._pour, args=(daemon, client), daemon=True)
            answers.start()
            self._pour(client, daemon, self._ask)
            answers.join()
            with self._lock:
                self._open -= {client, daemon}

    def _ask(self, chunk: bytes) -> bool:
        """Take note of what a client sends; False where its connection is to be cut."""
        # A client waits for each answer before it asks again, so a request begins a chunk.
        line = chunk.partition(b"\r\n")[0]
        if line.endswith(b"HTTP/1.1"):
            request = line.decode("latin-1")
            time.sleep(self._delay_s)
            if self._hangs_at(request):
                self.hang()
            self.asked.append(request)
        return not self._refuses

    def _pour(
        self,
        source: socket.socket,
        sink: socket.socket,
        may_pass: Callable[[bytes], bool] = lambda _: True,
    ) -> None:
        with contextlib.suppress(OSError):  # one side hung up, as it may
            while chunk := source.recv(CHUNK):
                self._flows.wait()
                if not may_pass(chunk):
                    _cut(source)
                    _cut(sink)
                    return
                sink.sendall(chunk)
            self._flows.wait()
            sink.shutdown(socket.SHUT_WR)


def _cut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def docker_proxy(folder: Path) -> Iterator[DockerProxy]:
    """Serve at a socket in the folder."""
    proxy = DockerProxy(folder / "docker.sock")
    proxy.serve()
    try:
        yield proxy
    finally:
        proxy.close()

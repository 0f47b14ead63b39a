"""What an agent would like to reach: servers on the host, which count who got through."""

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Upstream:
    """A TCP server on every address of the host, and an abstract Unix socket."""

    port: int
    abstract: str
    """Its name behind the leading NUL."""
    reached: list[str] = field(default_factory=list)


@contextmanager
def upstream() -> Iterator[Upstream]:
    """Serve both until the end of the block; a connection is noted and closed."""
    name = f"evalkit-test-{secrets.token_hex(8)}"
    with socket.create_server(("0.0.0.0", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(f"\0{name}")
        unix.listen()
        found = Upstream(tcp.getsockname()[1], name)
        servers = (("tcp", tcp), ("unix", unix))
        threads = [threading.Thread(target=_serve, args=(*one, found)) for one in servers]
        for thread in threads:
            thread.start()
        yield found
        for _, server in servers:
            server.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def _serve(kind: str, server: socket.socket, found: Upstream) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:  # shut down
            return
        found.reached.append(kind)
        connection.close()

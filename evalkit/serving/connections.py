"""Connections to one endpoint whose sockets stay within reach while an answer is read.

http.client lets go of a socket whose answer ends with the connection; a read must be ended at a
deadline and at a stop all the same. To be imported where it is used: urllib3 is slow to load.
"""

import socket
import urllib.request
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Any
from weakref import WeakSet

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from evalkit.serving.fetch import is_local

_CONNECTIONS = 256
"""Kept open for reuse; every rollout holds one while it is answered."""


class Connections:
    """Through the proxy set for the URL, unless that is on this machine; for any number of threads."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet."""
        self._lock = Lock()
        self._sockets = WeakSet[socket.socket]()
        self.manager = _manager(url)
        pool = self.manager.connection_from_url(url)
        kind = _Https if pool.scheme == "https" else _Http
        pool.ConnectionCls = partial(kind, self)  # type: ignore[assignment]  # it only calls it

    def opened(self, sock: socket.socket) -> None:
        """Keep a socket within reach."""
        with self._lock:
            self._sockets.add(sock)

    def shut(self) -> None:
        """End every read that is going on."""
        with self._lock:
            for sock in self._sockets:
                with suppress(OSError):  # it was closed meanwhile
                    # That of an SSLSocket takes its state from under a read that is going on.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


def limit(response: urllib3.BaseHTTPResponse, wait_s: float) -> None:
    """Let the next read of an answer last no longer than `wait_s`."""
    if isinstance(response.connection, _Http):  # else it was read to its end
        response.connection.kept.settimeout(wait_s)


class _Http(HTTPConnection):
    def __init__(self, connections: Connections, **keys: Any) -> None:
        super().__init__(**keys)
        self._connections = connections

    def connect(self) -> None:
        super().connect()
        self.kept: socket.socket = self.sock
        self._connections.opened(self.kept)


class _Https(_Http, HTTPSConnection):
    """The same over TLS."""


def _manager(url: str) -> urllib3.PoolManager:
    parts = urllib3.util.parse_url(url)
    proxy = urllib.request.getproxies().get(parts.scheme or "")
    if proxy is None or is_local(url) or urllib.request.proxy_bypass(parts.host or ""):
        return urllib3.PoolManager(maxsize=_CONNECTIONS)
    return urllib3.ProxyManager(proxy, maxsize=_CONNECTIONS)

"""The engine's stand-in, lean enough to share two cores with what is measured.

It reads no more of a request than its length and how the answer is wanted, and sends bytes made
beforehand: a stream event by event, as an engine that has all its tokens at once.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.workload import events, whole

_CHECKOUT = Path(__file__).parents[2]
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STREAMED = re.compile(rb'"stream": ?true')
_JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_EVENTS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def _chunked(pieces: list[bytes]) -> list[bytes]:
    return [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]


_WHOLE = [_JSON % len(whole()) + whole()]
_PLAIN = [_EVENTS, *_chunked(events(counting=False))]
_COUNTED = [_EVENTS, *_chunked(events(counting=True))]


class _Engine(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = bytearray()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        length = head > 0 and _LENGTH.search(self._received, 0, head)
        if length and len(self._received) >= head + 4 + int(length[1]):
            self._answer(self._received)
            self._received = bytearray()

    def _answer(self, request: bytearray) -> None:
        if not _STREAMED.search(request):
            pieces = _WHOLE
        else:
            pieces = _COUNTED if b"continuous_usage_stats" in request else _PLAIN
        for piece in pieces:
            self._transport.write(piece)


@contextmanager
def bench_server() -> Iterator[str]:
    """Yield the base URL (with its /v1) of a server in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_CHECKOUT) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


def _serve() -> None:
    loop = asyncio.new_event_loop()
    made = loop.create_server(_Engine, "127.0.0.1", 0, backlog=1024)
    server = loop.run_until_complete(made)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop.run_forever()


if __name__ == "__main__":
    _serve()

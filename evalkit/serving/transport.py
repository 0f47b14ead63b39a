"""HTTP to one endpoint: requests out, the events of a streamed answer in.

Over urllib3 and not the openai client: with 50 messages and 22 events a turn costs 1.0 to 1.4 ms of
CPU, through the client's low-level `post` 2.9 to 3.9 (measured on 2 cores). That one also opens a
new connection for every turn, since it stops reading at [DONE].

To be imported where it is used: urllib3 is slow to load.
"""

import json
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from threading import Event, Thread

import urllib3
from urllib3.exceptions import HTTPError, ReadTimeoutError

from evalkit.errors import EngineError, UnansweredError
from evalkit.serving.connections import Connections, limit
from evalkit.serving.faults import broken_off, refusal
from evalkit.serving.retry import MayPassError, retry_after_s

_CONNECT_S = 10.0
_RECEIVE = 2**16
_LATE_S = 0.5
"""So much past its deadline an answer may end that falls silent: setting a timeout takes time too."""
_SHORTEST_S = 0.001
"""A socket takes a timeout of 0 for none at all."""


class Transport:
    """Connections to one endpoint, for any number of threads. For `contextlib.closing`."""

    def __init__(
        self, url: str, headers: Mapping[str, str], stall_s: float, stopping: Event | None
    ) -> None:
        """Post to `url`. A read that lasts longer than `stall_s`, or until `stopping`, is given up."""
        self._url = url
        self._headers = dict(headers)
        self._stall_s = stall_s
        self._connections = Connections(url)
        self._closed = Event()
        if stopping:
            Thread(target=self._hang_up, args=(stopping,), name="chat-stop", daemon=True).start()

    def close(self) -> None:
        """Let go of the connections kept for further requests."""
        self._closed.set()
        self._connections.manager.clear()

    def _hang_up(self, stopping: Event) -> None:
        """Once the run is being stopped, end what waits for the engine: no read notices an Event."""
        while not self._closed.wait(0.25):
            if stopping.is_set():
                self._connections.shut()
                return

    def events(
        self, body: bytes, headers: Mapping[str, str], *, deadline: float
    ) -> Generator[object, None, None]:
        """Yield the JSON of each event of the answer, to its end or to `deadline`.

        Raises MayPassError, UnansweredError where the engine falls silent, ContextLimitError or
        another EngineError.
        """
        try:
            with closing(self._post(body, headers, deadline)) as response:
                yield from _events(self._lines(response, deadline))
        except ReadTimeoutError as error:
            if time.monotonic() < deadline:
                raise UnansweredError(f"the engine sent nothing for {self._stall_s:g} s") from error
        except HTTPError as error:
            raise MayPassError(f"the engine cannot be reached or broke off: {error}") from error

    def _post(
        self, body: bytes, headers: Mapping[str, str], deadline: float
    ) -> urllib3.BaseHTTPResponse:
        wait_s = self._patience_s(deadline)
        response = self._connections.manager.request(
            "POST",
            self._url,
            body=body,
            headers={**self._headers, **headers},
            timeout=urllib3.Timeout(connect=min(_CONNECT_S, wait_s), read=wait_s),
            retries=False,  # its own know no deadline
            redirect=False,
            preload_content=False,
        )
        if response.status != 200:
            with closing(response):
                after_s = retry_after_s(response.headers.get("Retry-After"))
                raise refusal(response.status, response.read(), after_s)
        return response

    def _lines(self, response: urllib3.BaseHTTPResponse, deadline: float) -> Iterator[bytes]:
        """Yield each line as soon as it is there; urllib3's own iterator may wait for 64 KiB."""
        rest = b""
        wait_s = self._stall_s
        while True:
            now = time.monotonic()
            if now > deadline:
                return
            if now + wait_s > deadline + _LATE_S:
                wait_s = self._patience_s(deadline)
                limit(response, wait_s)
            data = response.read1(_RECEIVE)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            yield from lines
        if not rest.startswith(b"data:"):  # half an event is none
            yield rest

    def _patience_s(self, deadline: float) -> float:
        return max(_SHORTEST_S, min(self._stall_s, deadline - time.monotonic()))


def _events(lines: Iterator[bytes]) -> Iterator[object]:
    """Yield the JSON of each event, reading to the end: only then is the connection used again."""
    other = b""
    known = False
    for line in lines:
        if not line.startswith(b"data:"):
            if not line.startswith(b":"):  # a comment, which keeps the connection alive
                other = other or line.strip()
            continue
        known = True
        data = line[5:].strip()
        if data == b"[DONE]":
            continue
        try:
            chunk = json.loads(data.decode())  # of bytes it would guess the encoding
        except ValueError as error:
            raise EngineError(f"the engine sent what is not JSON: {data[:300]!r}") from error
        if isinstance(chunk, dict) and chunk.get("error"):
            raise broken_off(chunk["error"])
        yield chunk
    if other and not known:
        # llama.cpp has sent errors so: https://github.com/oobabooga/textgen/issues/7257
        raise refusal(200, other)

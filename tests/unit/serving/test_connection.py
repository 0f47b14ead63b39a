"""Turns over a connection that stays open, as real engines keep it."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from evalkit.config.runner import Sampling
from evalkit.protocols import Message
from evalkit.serving.chat import OpenAIChat

HELLO: list[Message] = [{"role": "user", "content": "hello"}]
EVENTS = (
    b'data: {"choices": [{"delta": {"content": "o"}, "finish_reason": null}]}\n\n',
    b'data: {"choices": [{"delta": {"content": "k"}, "finish_reason": "stop"}]}\n\n',
    b'data: {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}\n\n',
    b"data: [DONE]\n\n",
)


class Keeping(ThreadingHTTPServer):
    """Counts connections; closes each after `requests` answers."""

    daemon_threads = True

    def __init__(self, requests: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = requests
        self.connections = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Keeping

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.answered = 0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
        """Keep quiet."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in EVENTS:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        time.sleep(0.05)  # the end comes apart from what was said
        self.wfile.write(b"0\r\n\r\n")
        self.answered += 1
        self.close_connection = self.answered == self.server.requests


@pytest.fixture
def keeping(request: pytest.FixtureRequest) -> Iterator[Keeping]:
    with Keeping(request.param) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def three_turns(server: Keeping) -> list[str]:
    url = f"http://127.0.0.1:{server.server_port}/v1"
    with closing(OpenAIChat(url, "m", Sampling())) as chat:
        deadline = time.monotonic() + 30
        return [chat.chat(HELLO, [], deadline=deadline).text for _ in range(3)]


@pytest.mark.parametrize("keeping", [1000], indirect=True)
def test_turns_share_one_connection(keeping: Keeping) -> None:
    three_turns(keeping)
    assert keeping.connections == 1


@pytest.mark.parametrize("keeping", [1], indirect=True)
def test_a_connection_that_the_engine_closes_is_replaced(keeping: Keeping) -> None:
    assert three_turns(keeping) == ["ok", "ok", "ok"]

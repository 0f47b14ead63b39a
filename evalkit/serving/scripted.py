"""The engine's double: a real HTTP server that answers from a script instead of a model."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from types import MappingProxyType
from typing import Any

from evalkit.serving.replicas import HEADER
from evalkit.types import ToolCall, Usage

_NO_TIME = struct.pack("ii", 1, 0)
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """One answer."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""
    """By default `tool_calls` where there are some, else `stop`."""
    status: int = 200
    """Anything but 200 is an error whose message is `text`."""
    usage: Usage | None = None
    """By default made up from the lengths of what was asked and answered."""
    delay_s: float = 0.0
    """Pause before every event of a stream, every line of `raw`."""
    silent_s: float = 0.0
    """Pause before anything is sent, the head of the answer included."""
    lost_after: int | None = None
    """The connection is reset after so many events."""
    model: str | None = None
    """Who the answer says it is from; the server's own model by default."""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent instead, whatever it is."""


Script = Sequence[Scripted] | Callable[[Mapping[str, Any]], Scripted]
"""Answers in order, or a function of the request's JSON body (`messages`, `tools`, ...).

The body has `replica`, an int, where the request names one in its header.
"""


@contextmanager
def scripted_server(script: Script, model: str = "scripted", *, replicas: int = 1) -> Iterator[str]:
    """Yield the base URL (with its /v1) of a server that speaks as an engine does.

    A script that has run out answers 400. Any number of clients may ask at once. `/metrics` tells
    the counters of each of its `replicas`; a request that names none goes to the first.
    """
    server = _Server(script, model, replicas)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="scripted-engine")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, script: Script, model: str, replicas: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model
        self.usages = [Usage()] * replicas
        self.running = [0] * replicas
        self._lock = threading.Lock()
        self._ask = script if callable(script) else _in_order(script)

    @contextmanager
    def answer(self, body: Mapping[str, Any]) -> Iterator[tuple[Scripted, Usage]]:
        rank = body.get("replica", 0)
        with self._lock:
            scripted = self._ask(body)
            usage = scripted.usage or _made_up(body, scripted)
            if scripted.status == 200:
                self.usages[rank] += usage
            self.running[rank] += 1
        try:
            yield scripted, usage
        finally:
            with self._lock:
                self.running[rank] -= 1

    def metrics(self) -> Iterator[str]:
        for rank, used in enumerate(self.usages):
            counters = {
                "prompt_tokens_total": used.prompt_tokens,
                "generation_tokens_total": used.completion_tokens,
                "num_requests_running": self.running[rank],
                "num_requests_waiting": 0,
                "kv_cache_usage_perc": 0.0,
            }
            for name, value in counters.items():
                yield f'vllm:{name}{{engine="{rank}",model_name="{self.model}"}} {value}\n'


def _in_order(script: Sequence[Scripted]) -> Callable[[Mapping[str, Any]], Scripted]:
    left = iter(script)
    return lambda _: next(left, Scripted(status=400, text="the script has run out"))


def _made_up(body: Mapping[str, Any], answer: Scripted) -> Usage:
    made = answer.text + "".join(call.name + call.arguments for call in answer.tool_calls)
    asked = json.dumps(body.get("messages"))
    return Usage(prompt_tokens=len(asked) // 4 + 1, completion_tokens=len(made) // 4 + 1)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
        """Keep quiet."""

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self._json(200, {"object": "list", "data": [{"id": self.server.model}]})
        elif self.path == "/metrics":
            body = "".join(self.server.metrics()).encode()
            self._head(200, len(body), "text/plain", _NONE)
            self.wfile.write(body)
        else:
            self._json(404, {"error": {"message": f"no such page: {self.path}"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if rank := self.headers.get(HEADER):
            body["replica"] = int(rank)
        with self.server.answer(body) as (answer, usage), suppress(ConnectionError):
            time.sleep(answer.silent_s)
            self._answer(body, answer, usage)

    def _answer(self, body: Mapping[str, Any], answer: Scripted, usage: Usage) -> None:
        model = answer.model or self.server.model
        if answer.raw is not None:
            self._head(answer.status, len(answer.raw), "text/event-stream", answer.headers)
            pieces = answer.raw.splitlines(keepends=True) if answer.delay_s else [answer.raw]
            for piece in pieces:
                time.sleep(answer.delay_s)
                self.wfile.write(piece)
        elif answer.status != 200:
            self._json(answer.status, {"error": {"message": answer.text}}, answer.headers)
        elif body.get("stream"):
            options = body.get("stream_options") or {}
            counting = bool(options.get("continuous_usage_stats"))
            self._stream(answer, _events(answer, usage, model, counting=counting))
        else:
            message = {"role": "assistant", "content": answer.text, **_calls(answer)}
            choice = {"index": 0, "message": message, "finish_reason": _finish(answer)}
            self._json(200, {"model": model, "choices": [choice], "usage": _usage(usage)})

    def _stream(self, answer: Scripted, events: Iterator[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for event in islice(events, answer.lost_after):
            time.sleep(answer.delay_s)
            self.wfile.write(f"data: {event}\n\n".encode())
        if answer.lost_after is not None:
            # Closed with no time to linger, a socket resets its connection.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_TIME)

    def _json(self, status: int, value: object, headers: Mapping[str, str] = _NONE) -> None:
        body = json.dumps(value).encode()
        self._head(status, len(body), "application/json", headers)
        self.wfile.write(body)

    def _head(self, status: int, length: int, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()


def _events(answer: Scripted, usage: Usage, model: str, *, counting: bool) -> Iterator[str]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": answer.text[at : at + 16]} for at in range(0, len(answer.text), 16)]
    for index, call in enumerate(answer.tool_calls):
        middle = len(call.arguments) // 2
        first = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name}}
        deltas.append({"tool_calls": [first]})
        for part in (call.arguments[:middle], call.arguments[middle:]):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    for number, delta in enumerate(deltas):
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        chunk: dict[str, Any] = {"model": model, "choices": [choice]}
        if counting:
            so_far = min(usage.completion_tokens, 4 * number)
            chunk["usage"] = _usage(usage.model_copy(update={"completion_tokens": so_far}))
        yield json.dumps(chunk)
    end = {"index": 0, "delta": {}, "finish_reason": _finish(answer)}
    yield json.dumps({"model": model, "choices": [end]})
    yield json.dumps({"model": model, "choices": [], "usage": _usage(usage)})
    yield "[DONE]"


def _calls(answer: Scripted) -> dict[str, Any]:
    return {
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in answer.tool_calls
        ]
    }


def _finish(answer: Scripted) -> str:
    return answer.finish_reason or ("tool_calls" if answer.tool_calls else "stop")


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }

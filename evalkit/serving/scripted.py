"""The engine's double: a real HTTP server that answers from a script instead of a model."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from evalkit.types import ToolCall, Usage


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """One answer."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    status: int = 200
    """Anything but 200 is an error whose message is `text`."""
    usage: Usage | None = None
    """By default made up from the lengths of what was asked and answered."""
    delay_s: float = 0.0
    """Pause before every event of a stream."""
    raw: bytes | None = None
    """Sent instead, whatever it is."""


Script = Sequence[Scripted] | Callable[[Mapping[str, Any]], Scripted]
"""Answers in order, or a function of the request's JSON body (`messages`, `tools`, ...)."""


@contextmanager
def scripted_server(script: Script, model: str = "scripted") -> Iterator[str]:
    """Yield the base URL (with its /v1) of a server that speaks as an engine does.

    A script that has run out answers 400. Any number of clients may ask at once.
    """
    server = _Server(script, model)
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

    def __init__(self, script: Script, model: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model
        self.usage = Usage()
        self._lock = threading.Lock()
        self._ask = script if callable(script) else _in_order(script)

    def answer(self, body: Mapping[str, Any]) -> tuple[Scripted, Usage]:
        with self._lock:
            scripted = self._ask(body)
            usage = scripted.usage or _made_up(body, scripted)
            self.usage += usage
        return scripted, usage


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
            used = self.server.usage
            lines = {
                "prompt_tokens_total": used.prompt_tokens,
                "generation_tokens_total": used.completion_tokens,
                "num_requests_running": 0,
                "num_requests_waiting": 0,
                "kv_cache_usage_perc": 0.0,
            }
            self._send(200, "".join(f"vllm:{k} {v}\n" for k, v in lines.items()).encode())
        else:
            self._json(404, {"error": {"message": f"no such page: {self.path}"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer, usage = self.server.answer(body)
        if answer.raw is not None:
            self._send(200, answer.raw, "text/event-stream")
        elif answer.status != 200:
            self._json(answer.status, {"error": {"message": answer.text}})
        elif body.get("stream"):
            options = body.get("stream_options") or {}
            counting = bool(options.get("continuous_usage_stats"))
            self._stream(answer, _events(answer, usage, counting=counting))
        else:
            message = {"role": "assistant", "content": answer.text, **_calls(answer)}
            choice = {"index": 0, "message": message, "finish_reason": _finish(answer)}
            self._json(200, {"choices": [choice], "usage": _usage(usage)})

    def _stream(self, answer: Scripted, events: Iterator[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for event in events:
            time.sleep(answer.delay_s)
            try:
                self.wfile.write(f"data: {event}\n\n".encode())
            except ConnectionError:
                return  # the client gave up on us

    def _json(self, status: int, value: object) -> None:
        self._send(status, json.dumps(value).encode())

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _events(answer: Scripted, usage: Usage, *, counting: bool) -> Iterator[str]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": answer.text[at : at + 16]} for at in range(0, len(answer.text), 16)]
    for index, call in enumerate(answer.tool_calls):
        middle = len(call.arguments) // 2
        first = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name}}
        deltas.append({"tool_calls": [first]})
        for part in (call.arguments[:middle], call.arguments[middle:]):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    for number, delta in enumerate(deltas):
        chunk: dict[str, Any] = {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        if counting:
            so_far = min(usage.completion_tokens, 4 * number)
            chunk["usage"] = _usage(usage.model_copy(update={"completion_tokens": so_far}))
        yield json.dumps(chunk)
    end = {"index": 0, "delta": {}, "finish_reason": _finish(answer)}
    yield json.dumps({"choices": [end]})
    yield json.dumps({"choices": [], "usage": _usage(usage)})
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
    return "tool_calls" if answer.tool_calls else "stop"


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }

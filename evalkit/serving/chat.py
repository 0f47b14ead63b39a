"""The chat call: one streamed HTTP request, plain JSON both ways.

Over urllib3 and not the openai client: with 50 messages and 22 events a turn costs 1.0 to 1.4 ms of
CPU, through the client's low-level `post` 2.9 to 3.9 (measured on 2 cores). That one also opens a
new connection for every turn, since it stops reading at [DONE].
"""

import json
import re
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import takewhile
from threading import Event
from typing import TYPE_CHECKING

from pydantic import JsonValue

from evalkit.config.runner import Sampling
from evalkit.errors import ContextLimitError, EngineError
from evalkit.protocols import Message
from evalkit.serving.answer import Answer
from evalkit.serving.fetch import is_local
from evalkit.types import Reply

if TYPE_CHECKING:
    import urllib3

_PAUSES_S = (0.5, 1.0, 2.0, 4.0)
_CONNECTIONS = 256
"""Kept open for reuse; every rollout holds one while it is answered."""
_CONNECT_S = 10.0
_RECEIVE = 2**16

# vLLM: "This model's maximum context length is 16384 tokens. However, ..."; OpenAI's error code.
_CONTEXT = re.compile(r"context length|context_length_exceeded|context window", re.IGNORECASE)


class _MayPass(Exception):  # noqa: N818 - no error yet: tried again, then told as its EngineError
    """A fault that may be gone at the next try."""


class _Conversation(threading.local):
    """The JSON of a thread's conversation. It only grows: what was encoded once is kept."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._encoded: list[str] = []

    def encode(self, messages: Sequence[Message]) -> str:
        """Encode messages, which must not be changed once they were sent."""
        same = takewhile(
            lambda pair: pair[0] is pair[1], zip(messages, self._messages, strict=False)
        )
        known = sum(1 for _ in same)
        self._messages[known:] = messages[known:]
        self._encoded[known:] = [json.dumps(message) for message in messages[known:]]
        return f"[{', '.join(self._encoded)}]"


class OpenAIChat:
    """A ChatModel; one object serves any number of threads. For `contextlib.closing`."""

    def __init__(
        self,
        url: str,
        model: str,
        sampling: Sampling,
        *,
        api_key: str = "EMPTY",
        extra: Mapping[str, JsonValue] | None = None,
        count_as_it_comes: bool = False,
        stall_s: float = 600,
        stopping: Event | None = None,
    ) -> None:
        """Talk to `url` (with its /v1).

        `extra` is added to every request as it is. `count_as_it_comes` asks for the usage so far
        with every chunk (vLLM and SGLang know it; others may refuse), so that an answer that is
        cut off at its deadline is counted, but for what was still on its way. An engine that
        sends nothing for `stall_s` counts as broken even where the deadline is further off. Once
        `stopping` is set, answers break off with an EngineError at their next chunk.
        """
        self._stall_s = stall_s
        self._stopping = stopping or Event()
        self._max_tokens = sampling.max_tokens
        self._request = {
            "model": model,
            "stream": True,
            "stream_options": {
                "include_usage": True,
                **({"continuous_usage_stats": True} if count_as_it_comes else {}),
            },
            **sampling.model_dump(exclude_none=True),
            **(extra or {}),
        }
        self._url = f"{url}/chat/completions"
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {api_key}"}
        self._pool = _pool(url)
        self._conversation = _Conversation()
        self.answered_as = ""
        """The model's name in the last answer; empty where the engine gives none."""

    def chat(
        self,
        messages: Sequence[Message],
        tools: Sequence[Message],
        *,
        deadline: float,
        max_tokens: int | None = None,
    ) -> Reply:
        """Ask for one turn; see `protocols.ChatModel`.

        Lost connections, 429 and 5xx are tried again four times, with growing pauses, as long
        as the deadline is not met.
        """
        body = dict(self._request)
        if max_tokens is not None:
            body["max_tokens"] = min(max_tokens, self._max_tokens)
        if tools:
            body["tools"] = tools
        text = f'{json.dumps(body)[:-1]}, "messages": {self._conversation.encode(messages)}}}'
        encoded = text.encode()
        for pause in (*_PAUSES_S, None):
            try:
                return self._ask(encoded, deadline)
            except _MayPass as fault:
                if pause is None or time.monotonic() + pause > deadline:
                    raise EngineError(str(fault)) from fault
                if self._stopping.wait(pause):
                    raise EngineError("the run is being stopped") from fault
        raise AssertionError("the last round returns or raises")

    def close(self) -> None:
        """Let go of the connections kept for further turns."""
        self._pool.clear()

    def _ask(self, body: bytes, deadline: float) -> Reply:
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        begun = time.monotonic()
        answer = Answer()
        try:
            with closing(self._post(body, min(self._stall_s, deadline - begun))) as response:
                for chunk in _chunks(response):
                    answer.add(chunk, time.monotonic() - begun)
                    if self._stopping.is_set():
                        raise EngineError("the run is being stopped")
                    if time.monotonic() > deadline:
                        break
        except ReadTimeoutError as error:
            if time.monotonic() < deadline:
                raise EngineError(f"the engine sent nothing for {self._stall_s:g} s") from error
        except HTTPError as error:
            raise _MayPass(f"the engine cannot be reached or broke off: {error}") from error
        except ValueError as error:
            raise EngineError(f"the engine sent what is not JSON: {error}") from error
        ended = time.monotonic()
        if ended >= deadline:
            answer.cut_off()
        self.answered_as = answer.model
        return answer.reply(ended - begun)

    def _post(self, body: bytes, wait_s: float) -> "urllib3.BaseHTTPResponse":
        import urllib3

        wait_s = max(0.001, wait_s)
        response = self._pool.request(
            "POST",
            self._url,
            body=body,
            headers=self._headers,
            timeout=urllib3.Timeout(connect=min(_CONNECT_S, wait_s), read=wait_s),
            retries=False,  # its own know no deadline
            redirect=False,
            preload_content=False,
        )
        if response.status != 200:
            with closing(response):
                raise _refused(response.status, response.read())
        return response


def _pool(url: str) -> "urllib3.PoolManager":
    """Return connections to `url`, through the proxy set for it unless it is on this machine."""
    import urllib3

    parts = urllib3.util.parse_url(url)
    proxy = urllib.request.getproxies().get(parts.scheme or "")
    if proxy is None or is_local(url) or urllib.request.proxy_bypass(parts.host or ""):
        return urllib3.PoolManager(maxsize=_CONNECTIONS)
    return urllib3.ProxyManager(proxy, maxsize=_CONNECTIONS)


def _chunks(response: "urllib3.BaseHTTPResponse") -> Iterator[object]:
    """Yield the JSON of each event, reading to the end: only then is the connection used again."""
    for line in _lines(response):
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            continue
        chunk = json.loads(data)
        if isinstance(chunk, dict) and chunk.get("error"):
            raise EngineError(f"the engine broke off: {_message(data)}")
        yield chunk


def _lines(response: "urllib3.BaseHTTPResponse") -> Iterator[bytes]:
    """Yield each line as soon as it is there; urllib3's own iterator may wait for 64 KiB."""
    rest = b""
    while data := response.read1(_RECEIVE):
        *lines, rest = (rest + data).split(b"\n")
        yield from lines
    yield rest


def _refused(status: int, body: bytes) -> Exception:
    said = _message(body)
    if status == 429 or status >= 500:
        return _MayPass(f"the engine answered {status}: {said}")
    if status == 400 and _CONTEXT.search(body.decode("utf-8", "replace")):
        return ContextLimitError(said)
    if status in {401, 403}:
        return EngineError(f"the endpoint refuses the key: {said}", hint="set EVALKIT_API_KEY")
    return EngineError(f"the engine answered {status}: {said}")


def _message(body: bytes) -> str:
    """Return what an error says: OpenAI and vLLM put it into `error.message`."""
    text = body.decode("utf-8", "replace")
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return text[:300]

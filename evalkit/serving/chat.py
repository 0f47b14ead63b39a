"""The chat call: one streamed HTTP request, plain JSON both ways."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from itertools import takewhile
from threading import Event

from pydantic import JsonValue

from evalkit.config.runner import Sampling
from evalkit.errors import EngineError
from evalkit.protocols import Message
from evalkit.serving.answer import Answer
from evalkit.serving.meter import Meter
from evalkit.serving.replicas import HEADER, Replicas
from evalkit.serving.retry import PAUSES_S, ask_again
from evalkit.types import Replica, Reply


class _Conversation(threading.local):
    """The JSON of a thread's conversation. It only grows: what was encoded once is kept."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._encoded: list[str] = []
        self.rank: int | None = None
        """The replica that its last turn, or that of the one before it, went to."""

    def extend(self, messages: Sequence[Message]) -> bool:
        """Take in messages, which must not be changed once they were sent; True for a new one."""
        same = takewhile(
            lambda pair: pair[0] is pair[1], zip(messages, self._messages, strict=False)
        )
        known = sum(1 for _ in same)
        begins = known < len(self._messages) or not known
        self._messages[known:] = messages[known:]
        self._encoded[known:] = [json.dumps(message) for message in messages[known:]]
        return begins

    def encoded(self) -> str:
        """Return it as a JSON array."""
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
        answers_as: str | None = None,
        meter: Meter | None = None,
        replicas: Callable[[], Sequence[Replica]] = tuple,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        """Talk to `url` (with its /v1).

        `extra` is added to every request as it is. `count_as_it_comes` asks for the usage so far
        with every chunk (vLLM and SGLang know it; others may refuse), so that an answer that is
        cut off at its deadline is counted, but for what was still on its way. An engine that
        sends nothing for `stall_s` counts as broken even where the deadline is further off. Once
        `stopping` is set, answers break off with an EngineError. `answers_as` is the model's name
        in the engine's answers, from one that is to be trusted. `meter` counts what arrives.
        `replicas` returns the last look at the engine's data-parallel replicas (see `Replicas`):
        a conversation stays with one. `pauses_s` come before each further try.
        """
        from evalkit.serving.transport import Transport

        self._stopping = stopping or Event()
        self._max_tokens = sampling.max_tokens
        self._answers_as = answers_as
        self._pauses_s = pauses_s
        self._meter = meter or Meter()
        self._replicas = Replicas(replicas)
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
        self._transport = Transport(
            f"{url}/chat/completions",
            {"Content-Type": "application/json", "Authorization": f"Bearer {api_key}"},
            stall_s,
            stopping,
        )
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

        Lost connections, answers that break off, 429 and 5xx are tried again, with growing pauses
        or those that the engine asks for, as long as the deadline is not met. Raises
        UnansweredError where that did not help, or the engine fell silent.
        """
        body = dict(self._request)
        if max_tokens is not None:
            body["max_tokens"] = min(max_tokens, self._max_tokens)
        if tools:
            body["tools"] = tools
        mine = self._conversation
        begins = mine.extend(messages)
        encoded = f'{json.dumps(body)[:-1]}, "messages": {mine.encoded()}}}'.encode()
        mine.rank = self._replicas.rank(mine.rank, begins=begins)
        headers = {} if mine.rank is None else {HEADER: str(mine.rank)}
        return ask_again(
            lambda: self._ask(encoded, headers, deadline),
            deadline=deadline,
            stopping=self._stopping,
            pauses_s=self._pauses_s,
        )

    def close(self) -> None:
        """Let go of the connections kept for further turns."""
        self._transport.close()

    def _ask(self, body: bytes, headers: Mapping[str, str], deadline: float) -> Reply:
        begun = time.monotonic()
        answer = Answer(self._answers_as)
        with (
            self._meter.request() as count,
            closing(self._transport.events(body, headers, deadline=deadline)) as events,
        ):
            for chunk in events:
                answer.add(chunk, time.monotonic() - begun)
                if answer.usage is not None:
                    count.usage = answer.usage
                if self._stopping.is_set():
                    raise EngineError("the run is being stopped")
            ended = time.monotonic()
            if ended >= deadline:
                answer.cut_off()
            reply = answer.reply(ended - begun, count.incarnation)
            count.answered = True
        self.answered_as = answer.model
        return reply

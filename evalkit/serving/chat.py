"""The chat call over the openai client's low-level `post`.

Its typed call builds models of every message and costs about 14 ms of CPU a turn with a long
conversation; plain JSON about 1 (measured with 50 to 100 messages).
"""

import re
import time
from collections.abc import Mapping, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from evalkit.config.runner import Sampling
from evalkit.errors import ContextLimitError, EngineError
from evalkit.protocols import Message
from evalkit.serving.answer import Answer
from evalkit.serving.fetch import is_local
from evalkit.types import Reply

if TYPE_CHECKING:
    import openai

_PAUSES_S = (0.5, 1.0, 2.0, 4.0)

# vLLM: "This model's maximum context length is 16384 tokens. However, ..."; OpenAI's error code.
_CONTEXT = re.compile(r"context length|context_length_exceeded|context window", re.IGNORECASE)


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
        cut off at its deadline is counted, but for what was still on its way. An engine that sends nothing for `stall_s`
        counts as broken even where the deadline is further off. Once `stopping` is set, answers
        break off with an EngineError at their next chunk.
        """
        import openai

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
        self._client = openai.OpenAI(
            base_url=url,
            api_key=api_key,
            max_retries=0,  # its own retries know no deadline
            http_client=openai.DefaultHttpxClient(trust_env=not is_local(url)),
        )

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
        import openai

        body = {**self._request, "messages": messages}
        if max_tokens is not None:
            body["max_tokens"] = min(max_tokens, self._max_tokens)
        if tools:
            body["tools"] = tools
        for pause in (*_PAUSES_S, None):
            try:
                return self._ask(body, deadline)
            except openai.APIError as error:
                if pause is None or not _may_pass(error) or time.monotonic() + pause > deadline:
                    raise _explained(error) from error
                if self._stopping.wait(pause):
                    raise EngineError("the run is being stopped") from error
        raise AssertionError("the last round returns or raises")

    def close(self) -> None:
        """Let go of the connections kept for further turns."""
        self._client.close()

    def _ask(self, body: Mapping[str, Any], deadline: float) -> Reply:
        import openai

        begun = time.monotonic()
        answer = Answer()
        try:
            with self._stream(body, min(self._stall_s, deadline - begun)) as chunks:
                for chunk in chunks:
                    answer.add(chunk, time.monotonic() - begun)
                    if self._stopping.is_set():
                        raise EngineError("the run is being stopped")
                    if time.monotonic() > deadline:
                        break
        except openai.APITimeoutError as error:
            if time.monotonic() < deadline:
                raise EngineError(f"the engine sent nothing for {self._stall_s:g} s") from error
        except ValueError as error:
            raise EngineError(f"the engine sent what is not JSON: {error}") from error
        ended = time.monotonic()
        if ended >= deadline:
            answer.cut_off()
        return answer.reply(ended - begun)

    def _stream(self, body: Mapping[str, Any], wait_s: float) -> "openai.Stream[object]":
        import openai

        wait_s = max(0.001, wait_s)
        return self._client.post(
            "/chat/completions",
            cast_to=object,
            body=body,
            options={"timeout": openai.Timeout(wait_s, connect=min(10.0, wait_s))},
            stream=True,
            stream_cls=openai.Stream[object],
        )


def _may_pass(error: "openai.APIError") -> bool:
    import openai

    passing = (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError)
    return isinstance(error, passing)


def _explained(error: "openai.APIError") -> EngineError:
    import openai

    said = re.sub(r"^Error code: \d+ - ", "", error.message)
    if isinstance(error, openai.BadRequestError) and _CONTEXT.search(f"{said} {error.body}"):
        return ContextLimitError(said)
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return EngineError(f"the endpoint refuses the key: {said}", hint="set EVALKIT_API_KEY")
    if isinstance(error, openai.APIStatusError):
        return EngineError(f"the engine answered {error.status_code}: {said}")
    cause = f" ({error.__cause__})" if error.__cause__ else ""
    return EngineError(f"the engine cannot be reached or broke off: {said}{cause}")

"""An engine that answers: what is known of it, and the proof that it does."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field

from evalkit.config.runner import Sampling
from evalkit.errors import EngineError
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.fetch import get_json
from evalkit.types import Usage


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where tokens come from."""

    url: str
    """Base URL, with its /v1."""
    model: str
    version: str = ""
    """vLLM's; empty where the endpoint names none."""
    argv: tuple[str, ...] = ()
    """Command line of the server we started; empty for somebody else's."""
    pid: int | None = None
    """Number of that server's process group."""
    max_model_len: int | None = None
    """Tokens of a conversation, where the endpoint tells."""
    probe: Usage = field(default_factory=Usage)
    """Tokens the probe cost; to be taken off the engine's own counters."""


def check_model(url: str, model: str, *, api_key: str) -> None:
    """Raise EngineError where the endpoint does not answer or does not serve `model`."""
    try:
        answer = get_json(f"{url}/models", timeout_s=30, api_key=api_key)
    except (OSError, ValueError) as error:
        raise EngineError(
            f"{url}/models does not answer as an OpenAI-compatible endpoint: {error}",
            hint="the URL ends in /v1; the key comes from EVALKIT_API_KEY",
        ) from error
    listed = answer.get("data") if isinstance(answer, Mapping) else None
    rows = listed if isinstance(listed, list) else []
    served = [str(row.get("id")) for row in rows if isinstance(row, Mapping)]
    if model not in served:
        raise EngineError(
            f"{url} does not serve {model!r}; it serves {', '.join(served) or 'nothing'}",
            hint="name one of them: --model NAME",
        )


def version(url: str) -> str:
    """Return the version vLLM reports, or nothing where the endpoint has no such page."""
    try:
        answer = get_json(url.removesuffix("/v1") + "/version", timeout_s=10)
    except (OSError, ValueError):
        return ""
    return str(answer.get("version", "")) if isinstance(answer, Mapping) else ""


def probe(url: str, model: str, *, api_key: str, timeout_s: float) -> Usage:
    """Have a few tokens made: /health answers 200 even where nothing is ever completed."""
    chat = OpenAIChat(url, model, Sampling(max_tokens=4), api_key=api_key, stall_s=timeout_s)
    question = {"role": "user", "content": "Say hello."}
    with closing(chat):
        reply = chat.chat([question], [], deadline=time.monotonic() + timeout_s)
    if not reply.usage.completion_tokens:
        raise EngineError(f"{url} answered the probe without a single token")
    return reply.usage

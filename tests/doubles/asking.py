"""One turn asked of a scripted engine."""

import time
from contextlib import closing
from typing import Any

from evalkit.config.runner import Sampling
from evalkit.protocols import Message
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.scripted import Script, scripted_server
from evalkit.types import Reply

HELLO: list[Message] = [{"role": "user", "content": "hello"}]


def ask(
    script: Script, *, tools: list[Message] | None = None, seconds: float = 30, **keys: Any
) -> Reply:
    """Return the answer; `keys` are OpenAIChat's."""
    sampling = Sampling(temperature=0.2, max_tokens=64)
    with (
        scripted_server(script) as url,
        closing(OpenAIChat(url, "scripted", sampling, **keys)) as chat,
    ):
        return chat.chat(HELLO, tools or [], deadline=time.monotonic() + seconds)

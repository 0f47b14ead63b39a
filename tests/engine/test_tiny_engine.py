import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing

import pytest
from pydantic import JsonValue

from evalkit.config.runner import Sampling
from evalkit.errors import ContextLimitError
from evalkit.protocols import Message
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.endpoint import Endpoint
from evalkit.serving.metrics import scrape
from evalkit.types import Reply
from tests.engine.conftest import Started

HELLO: list[Message] = [{"role": "user", "content": "List the files."}]
BASH: Message = {
    "type": "function",
    "function": {
        "name": "bash",
        "description": "Run a shell command.",
        "parameters": {
            "type": "object",
            "properties": {"command": {"type": "string"}},
            "required": ["command"],
        },
    },
}
# Random weights say nothing of their own: the grammar makes them write this call.
CALL = (
    "<tool_call>\\n<function=bash>\\n<parameter=command>\\nls -la\\n</parameter>\\n"
    "</function>\\n</tool_call>"
)


def ask(
    endpoint: Endpoint,
    messages: list[Message] = HELLO,
    tools: list[Message] | None = None,
    extra: Mapping[str, JsonValue] | None = None,
) -> Reply:
    chat = OpenAIChat(endpoint.url, endpoint.model, Sampling(max_tokens=64), extra=extra)
    with closing(chat):
        return chat.chat(messages, tools or [], deadline=time.monotonic() + 120)


def test_two_workers_share_the_model(
    tiny_engine: Endpoint, processes: Callable[[int], list[str]]
) -> None:
    assert tiny_engine.pid is not None
    names = processes(tiny_engine.pid)
    assert sum(name.startswith("VLLM::Worker_TP") for name in names) == 2


def test_the_probe_is_what_the_engine_had_counted_by_then(started: Started) -> None:
    assert started.counted.generation_tokens == started.probed.completion_tokens


def test_a_call_in_the_models_own_form_arrives_as_a_tool_call(tiny_engine: Endpoint) -> None:
    reply = ask(tiny_engine, tools=[BASH], extra={"structured_outputs": {"regex": CALL}})
    call = reply.tool_calls[0]
    assert (call.name, json.loads(call.arguments)) == ("bash", {"command": "ls -la"})


def test_the_engine_counts_the_tokens_that_the_reply_reports(tiny_engine: Endpoint) -> None:
    before = scrape(tiny_engine.url).generation_tokens
    reply = ask(tiny_engine)
    assert scrape(tiny_engine.url).generation_tokens - before == reply.usage.completion_tokens


def test_the_engine_counts_the_prompt_that_the_reply_reports(tiny_engine: Endpoint) -> None:
    before = scrape(tiny_engine.url).prompt_tokens
    reply = ask(tiny_engine)
    assert scrape(tiny_engine.url).prompt_tokens - before == reply.usage.prompt_tokens


def test_a_lone_request_takes_a_step_for_each_of_its_tokens(tiny_engine: Endpoint) -> None:
    before = scrape(tiny_engine.url).steps
    reply = ask(tiny_engine)
    assert scrape(tiny_engine.url).steps - before == reply.usage.completion_tokens


def test_its_cache_holds_more_than_one_conversation(tiny_engine: Endpoint) -> None:
    assert scrape(tiny_engine.url).capacity_tokens > 4096


def test_a_conversation_beyond_the_context_is_a_context_limit(tiny_engine: Endpoint) -> None:
    with pytest.raises(ContextLimitError, match="4096"):
        ask(tiny_engine, [{"role": "user", "content": "word " * 5000}])


def test_the_version_is_known(tiny_engine: Endpoint) -> None:
    assert tiny_engine.version[0].isdigit()

import time
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

import pytest

from evalkit.config.runner import Sampling
from evalkit.errors import ContextLimitError, EngineError
from evalkit.protocols import Message
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.scripted import Script, Scripted, scripted_server
from evalkit.types import CUT_OFF, Reply, ToolCall, Usage

HELLO: list[Message] = [{"role": "user", "content": "hello"}]
BASH: Message = {"type": "function", "function": {"name": "bash"}}
TOO_LONG = (
    "This model's maximum context length is 16384 tokens. However, your prompt contains at least "
    "16385 input tokens, which exceeds this limit even without any output tokens."
)


def ask(
    script: Script, *, tools: list[Message] | None = None, seconds: float = 30, **keys: Any
) -> Reply:
    with scripted_server(script) as url:
        chat = OpenAIChat(url, "scripted", Sampling(temperature=0.2, max_tokens=64), **keys)
        return chat.chat(HELLO, tools or [], deadline=time.monotonic() + seconds)


def keep(bodies: list[Mapping[str, Any]]) -> Callable[[Mapping[str, Any]], Scripted]:
    def answer(body: Mapping[str, Any]) -> Scripted:
        bodies.append(body)
        return Scripted(text="ok")

    return answer


def sent(**keys: Any) -> Mapping[str, Any]:
    bodies: list[Mapping[str, Any]] = []
    ask(keep(bodies), **keys)
    return bodies[0]


def test_streamed_text_is_put_together() -> None:
    text = "a long answer that takes several chunks to arrive, ünïcode included"
    assert ask([Scripted(text=text)]).text == text


def test_a_turn_may_be_held_below_the_runners_limit() -> None:
    bodies: list[Mapping[str, Any]] = []
    with scripted_server(keep(bodies)) as url:
        chat = OpenAIChat(url, "scripted", Sampling(max_tokens=64))
        chat.chat(HELLO, [], deadline=time.monotonic() + 30, max_tokens=7)
    assert bodies[0]["max_tokens"] == 7


def test_what_is_sent_is_the_conversation_as_it_is_now() -> None:
    bodies: list[Mapping[str, Any]] = []
    first, second, other = ({"role": "user", "content": name} for name in ("1", "2", "other"))
    conversations = [[first], [first, second], [other, second], [first]]
    with scripted_server(keep(bodies)) as url:
        chat = OpenAIChat(url, "scripted", Sampling())
        for messages in conversations:
            chat.chat(messages, [], deadline=time.monotonic() + 30)
    assert [body["messages"] for body in bodies] == conversations


def test_tool_call_fragments_are_put_together_by_index() -> None:
    calls = (
        ToolCall(id="1", name="bash", arguments='{"command": "ls -la"}'),
        ToolCall(id="2", name="submit", arguments="{}"),
    )
    assert ask([Scripted(tool_calls=calls)]).tool_calls == calls


def test_the_engines_finish_reason_is_kept() -> None:
    call = ToolCall(id="1", name="submit", arguments="{}")
    assert ask([Scripted(tool_calls=(call,))]).finish_reason == "tool_calls"


def test_usage_counts_cached_tokens() -> None:
    usage = Usage(prompt_tokens=173, cached_tokens=128, completion_tokens=30)
    assert ask([Scripted(text="ok", usage=usage)]).usage == usage


def test_time_to_the_first_token_is_less_than_the_whole() -> None:
    reply = ask([Scripted(text="x" * 64, delay_s=0.02)])
    assert reply.ttft_s is not None
    assert 0 < reply.ttft_s < reply.total_s


def test_sampling_is_sent_and_unset_keys_are_left_out() -> None:
    body = sent()
    assert (body["temperature"], body["max_tokens"]) == (0.2, 64)
    assert "top_p" not in body


def test_tools_are_sent() -> None:
    assert sent(tools=[BASH])["tools"] == [BASH]


def test_empty_tools_are_left_out() -> None:
    assert "tools" not in sent()


def test_extra_keys_reach_the_engine() -> None:
    assert sent(extra={"structured_outputs": {"regex": "a+"}})["structured_outputs"] == {
        "regex": "a+"
    }


def test_a_conversation_that_is_too_long_is_a_context_limit() -> None:
    with pytest.raises(ContextLimitError, match="16384"):
        ask([Scripted(status=400, text=TOO_LONG)])


def test_max_tokens_beyond_any_conversation_is_a_fault_of_the_runner() -> None:
    message = "max_tokens=100000 cannot be greater than max_model_len=16384."
    with pytest.raises(EngineError, match="cannot be greater") as caught:
        ask([Scripted(status=400, text=message)])
    assert not isinstance(caught.value, ContextLimitError)


def test_a_server_error_is_tried_again() -> None:
    assert ask([Scripted(status=500, text="busy"), Scripted(text="ok")]).text == "ok"


def test_too_many_requests_is_tried_again() -> None:
    assert ask([Scripted(status=429, text="slow down"), Scripted(text="ok")]).text == "ok"


def test_other_errors_are_not_tried_again() -> None:
    with pytest.raises(EngineError, match="404: no such model"):
        ask([Scripted(status=404, text="no such model"), Scripted(text="ok")])


def test_a_refused_key_says_where_the_key_comes_from() -> None:
    with pytest.raises(EngineError) as caught:
        ask([Scripted(status=401, text="no")])
    assert "EVALKIT_API_KEY" in caught.value.hint


def test_no_retry_starts_after_the_deadline() -> None:
    begun = time.monotonic()
    with pytest.raises(EngineError, match="500"):
        ask([Scripted(status=500, text="busy")] * 9, seconds=0.8)
    assert time.monotonic() - begun < 2


def test_an_answer_still_running_at_the_deadline_is_cut_off() -> None:
    reply = ask([Scripted(text="x" * 1600, delay_s=0.05)], seconds=0.5)
    assert reply.finish_reason == CUT_OFF


def test_tokens_of_an_answer_that_is_cut_off_count() -> None:
    reply = ask([Scripted(text="x" * 1600, delay_s=0.05)], seconds=0.5, count_as_it_comes=True)
    assert reply.usage.completion_tokens > 0


def test_an_engine_silent_until_the_deadline_is_cut_off() -> None:
    assert ask([Scripted(text="x", delay_s=1)], seconds=0.2).finish_reason == CUT_OFF


def test_an_engine_that_sends_nothing_is_given_up_before_the_deadline() -> None:
    with pytest.raises(EngineError, match=r"sent nothing for 0\.2 s"):
        ask([Scripted(text="x", delay_s=1)], stall_s=0.2)


def test_a_run_that_is_being_stopped_waits_for_no_answer() -> None:
    stopping = Event()
    stopping.set()
    with pytest.raises(EngineError, match="being stopped"):
        ask([Scripted(text="x" * 1600, delay_s=0.05)], stopping=stopping)


def test_nobody_listening_is_said() -> None:
    chat = OpenAIChat("http://127.0.0.1:9/v1", "m", Sampling())
    with pytest.raises(EngineError, match="cannot be reached"):
        chat.chat(HELLO, [], deadline=time.monotonic() + 0.2)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"data: {broken\n\n", "not JSON"),
        (b"data: [1, 2]\n\n", "no chat completion"),
        (b'data: {"choices": [{"delta": {"content": "par"}}]}\n\n', "broke off.*par"),
        (b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n', "without usage"),
        (b'data: {"error": {"message": "core is dead"}}\n\n', "core is dead"),
        (b"<html>welcome</html>", "broke off"),
    ],
)
def test_an_answer_of_the_wrong_form_is_said(raw: bytes, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        ask([Scripted(raw=raw)])

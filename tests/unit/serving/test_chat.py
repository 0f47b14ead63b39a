import time
from collections.abc import Callable, Mapping
from typing import Any

from evalkit.config.runner import Sampling
from evalkit.protocols import Message
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.scripted import Scripted, scripted_server
from evalkit.types import CUT_OFF, ToolCall, Usage
from tests.doubles.asking import HELLO, ask

BASH: Message = {"type": "function", "function": {"name": "bash"}}


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


def test_an_answer_still_running_at_the_deadline_is_cut_off() -> None:
    reply = ask([Scripted(text="x" * 1600, delay_s=0.05)], seconds=0.5)
    assert reply.finish_reason == CUT_OFF


def test_tokens_of_an_answer_that_is_cut_off_count() -> None:
    reply = ask([Scripted(text="x" * 1600, delay_s=0.05)], seconds=0.5, count_as_it_comes=True)
    assert reply.usage.completion_tokens > 0


def test_an_engine_silent_until_the_deadline_is_cut_off() -> None:
    assert ask([Scripted(text="x", delay_s=1)], seconds=0.2).finish_reason == CUT_OFF


def test_silence_midway_lasts_no_longer_than_the_deadline() -> None:
    begun = time.monotonic()
    ask([Scripted(text="x" * 32, delay_s=3)], seconds=3.5, stall_s=30)
    assert time.monotonic() - begun < 5.5


def test_signs_of_life_alone_do_not_outlast_the_deadline() -> None:
    alive = Scripted(raw=b": ping\n" * 99, delay_s=0.1)
    assert ask([alive], seconds=1).finish_reason == CUT_OFF


def test_silence_after_a_late_begin_does_not_outlast_it_either() -> None:
    begun = time.monotonic()
    ask([Scripted(text="x", silent_s=2.5, delay_s=9)], seconds=3)
    assert time.monotonic() - begun < 5


def test_what_comes_past_the_deadline_without_a_pause_is_left_out() -> None:
    late = b'data: {"choices": [{"delta": {"content": "late"}}]}\n\n'
    assert ask([Scripted(raw=b": ping\n" * 5_000_000 + late)], seconds=0.3).text == ""

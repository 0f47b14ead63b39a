"""What engines say where a conversation is too long, word for word, and what else they refuse."""

import json

import pytest

from evalkit.errors import ContextLimitError, EngineError
from evalkit.serving.faults import broken_off, refusal
from evalkit.serving.retry import MayPassError
from evalkit.serving.scripted import Scripted
from tests.doubles.asking import ask

TOO_LONG = {
    "vLLM, tokens": "This model's maximum context length is 16384 tokens. However, your prompt "
    "contains at least 16385 input tokens, which exceeds this limit even without any output "
    "tokens. Please reduce the length of the input prompt.",
    "vLLM, characters": "This model's maximum context length is 16384 tokens. However, your prompt "
    "contains 999999 characters (more than 524288 characters, which is the upper bound for 16384 "
    "input tokens). Please reduce the length of the input prompt.",
    "vLLM, no room": "Input length (16385) exceeds model's maximum context length (16384).",
    "vLLM, core": "The decoder prompt (length 16385) is longer than the maximum model length of "
    "16384. Make sure that `max_model_len` is no smaller than the number of text tokens.",
    "vLLM, core, full": "The decoder prompt (length 16384) plus the number of requested output "
    "tokens (at least 1) is longer than the maximum model length of 16384. Make sure that "
    "`max_model_len` is no smaller than the number of text tokens (prompt + requested output "
    "tokens).",
    "SGLang, input": "The input (16385 tokens) is longer than the model's context length "
    "(16384 tokens).",
    "SGLang, total": "Requested token count exceeds the model's maximum context length of 16384 "
    "tokens. You requested a total of 17000 tokens: 16000 tokens from the input messages and 1000 "
    "tokens for the completion. Please reduce the number of tokens in the input messages or the "
    "completion to fit within the limit.",
    "OpenAI": "This model's maximum context length is 8192 tokens. However, your messages resulted "
    "in 8227 tokens. Please reduce the length of the messages.",
    "OpenAI, newer": "Your input exceeds the context window of this model. Please adjust your "
    "input and try again.",
    "llama.cpp": "request (1407 tokens) exceeds the available context size (256 tokens), try "
    "increasing it",
    "llama.cpp, older": "the request exceeds the available context size. try increasing the "
    "context size or enable context shift",
}
OTHERWISE = {
    "vLLM, runner": "max_tokens=100000 cannot be greater than max_model_len=16384. Please request "
    "fewer output tokens.",
    "SGLang, runner": "max_completion_tokens is too large: 100000.This model supports at most "
    "16384 completion tokens.",
    "a parameter": "unknown parameter: context length",
    "a role": "there is no role named context in the messages",
    "a template": "the chat template has no variable context_window",
}


def body(message: str, **fields: object) -> bytes:
    return json.dumps({"error": {"message": message, **fields}}).encode()


@pytest.mark.row("F9")
@pytest.mark.parametrize("message", TOO_LONG.values(), ids=TOO_LONG)
def test_a_conversation_that_is_too_long_is_a_context_limit(message: str) -> None:
    with pytest.raises(ContextLimitError, match=r"tokens|context"):
        ask([Scripted(status=400, text=message)])


@pytest.mark.parametrize("message", OTHERWISE.values(), ids=OTHERWISE)
def test_other_words_about_context_are_no_context_limit(message: str) -> None:
    with pytest.raises(EngineError) as caught:
        ask([Scripted(status=400, text=message)])
    assert not isinstance(caught.value, ContextLimitError)


@pytest.mark.parametrize(
    "fields", [{"code": "context_length_exceeded"}, {"type": "exceed_context_size_error"}]
)
def test_a_context_limit_is_known_by_its_code(fields: dict[str, object]) -> None:
    assert isinstance(refusal(400, body("no", **fields)), ContextLimitError)


def test_sglang_does_not_wrap_its_error() -> None:
    said = {"object": "error", "message": TOO_LONG["SGLang, input"], "code": 400}
    assert isinstance(refusal(400, json.dumps(said).encode()), ContextLimitError)


def test_a_context_limit_may_come_in_the_stream() -> None:
    event = b"data: " + body(TOO_LONG["vLLM, core"], code=400) + b"\n\ndata: [DONE]\n\n"
    with pytest.raises(ContextLimitError):
        ask([Scripted(raw=event)])


def test_llama_cpp_may_send_it_in_place_of_the_stream() -> None:
    said = body(TOO_LONG["llama.cpp"], code=400, type="exceed_context_size_error")
    with pytest.raises(ContextLimitError):
        ask([Scripted(raw=said)])


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_an_engine_cannot_do_now_may_pass(status: int) -> None:
    assert isinstance(refusal(status, body("busy")), MayPassError)


@pytest.mark.parametrize("status", [301, 400, 404, 422])
def test_what_it_does_not_take_is_final(status: int) -> None:
    assert isinstance(refusal(status, body("no")), EngineError)


@pytest.mark.parametrize("code", [500, 503, None, "server_error"])
def test_a_fault_of_its_own_in_the_stream_may_pass(code: object) -> None:
    assert isinstance(broken_off({"message": "core is dead", "code": code}), MayPassError)


def test_a_refusal_in_the_stream_is_final() -> None:
    assert isinstance(broken_off({"message": "no", "code": 400}), EngineError)


@pytest.mark.parametrize(
    "answer",
    [b"upstream is down", b'{"error": "upstream is down"}', b'{"detail": "upstream is down"}'],
)
def test_what_was_said_is_told_whatever_its_form(answer: bytes) -> None:
    assert "upstream is down" in str(refusal(502, answer))


@pytest.mark.parametrize("answer", [b"", b"null", b"[]", b"\xff", b'{"error": null}', b"7"])
def test_a_refusal_may_say_nothing(answer: bytes) -> None:
    assert "the engine answered 404" in str(refusal(404, answer))


def test_a_refused_key_says_where_the_key_comes_from() -> None:
    with pytest.raises(EngineError) as caught:
        ask([Scripted(status=401, text="no")])
    assert "EVALKIT_API_KEY" in caught.value.hint

"""Answers that are not as the chat protocol has them, and those that only look so."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import EngineError, UnansweredError
from evalkit.serving.answer import Answer
from evalkit.serving.retry import MayPassError
from evalkit.serving.scripted import Scripted
from evalkit.types import Reply, ToolCall
from tests.doubles.asking import ask

USAGE = {"prompt_tokens": 1, "completion_tokens": 2}


def stream(*chunks: object) -> Scripted:
    return Scripted(raw=b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks))


def delta(**fields: object) -> dict[str, Any]:
    return {"choices": [{"delta": fields, "finish_reason": None}]}


def fragment(**fields: object) -> dict[str, Any]:
    return delta(tool_calls=[fields])


def end(reason: str = "stop") -> tuple[object, object]:
    return {"choices": [{"delta": {}, "finish_reason": reason}]}, {"choices": [], "usage": USAGE}


WRONG = {
    "broken JSON": (Scripted(raw=b"data: {broken\n\n"), "not JSON"),
    "bytes that are no text": (Scripted(raw=b"data: \xff\xfe\n\n"), "not JSON"),
    "no object": (stream([1, 2]), "no chat completion"),
    "null": (stream(None), "no chat completion"),
    "choices of another form": (stream({"choices": [None]}), "no chat completion"),
    "a delta of another form": (stream({"choices": [{"delta": "x"}]}), "no chat completion"),
    "content of another form": (stream(delta(content=["x"])), "no chat completion"),
    "a fragment of another form": (stream(delta(tool_calls=["x"])), "no chat completion"),
    "arguments as an object": (
        stream(fragment(index=0, id="1", function={"name": "bash", "arguments": {"a": 1}})),
        "no chat completion",
    ),
    "an index that is no number": (stream(fragment(index="x")), "no chat completion"),
    "a name that is no text": (stream(fragment(function={"name": 1})), "no chat completion"),
    "a finish reason that is none": (
        stream({"choices": [{"delta": {}, "finish_reason": 1}]}),
        "no chat completion",
    ),
    "no usage": (stream({"choices": [{"delta": {}, "finish_reason": "stop"}]}), "without usage"),
    "usage of another form": (stream({"usage": {"tokens": 1}}), "a way of its own"),
    "a page": (Scripted(raw=b"<html>\n<p>welcome</html>"), "welcome|html"),
    "a whole answer": (Scripted(raw=b'{"choices": [{"message": {}}]}'), "answered 200"),
}


@pytest.mark.row("F8")
@pytest.mark.parametrize(("answer", "said"), WRONG.values(), ids=WRONG)
def test_an_answer_of_the_wrong_form_is_said(answer: Scripted, said: str) -> None:
    with pytest.raises(EngineError, match=said) as caught:
        ask([answer, Scripted(text="ok")])
    assert not isinstance(caught.value, UnansweredError)


MISSING = {
    "no choices": {"id": "1"},
    "null choices": {"choices": None},
    "no delta": {"choices": [{"finish_reason": None}]},
    "a null delta": {"choices": [{"delta": None}]},
    "null content": delta(content=None, tool_calls=None),
    "null usage": {"choices": [], "usage": None},
}


@pytest.mark.parametrize("chunk", MISSING.values(), ids=MISSING)
def test_fields_that_are_missing_or_null_say_nothing(chunk: object) -> None:
    assert ask([stream(chunk, delta(content="ok"), *end())]).text == "ok"


def test_comments_between_events_are_passed_over() -> None:
    events = b": ping\n\nevent: message\n" + (stream(delta(content="ok"), *end()).raw or b"")
    assert ask([Scripted(raw=events)]).text == "ok"


def test_lines_may_end_in_both_ways() -> None:
    raw = (stream(delta(content="ok"), *end()).raw or b"").replace(b"\n", b"\r\n")
    assert ask([Scripted(raw=raw)]).text == "ok"


def called(*fragments: dict[str, Any], reason: str = "tool_calls") -> Reply:
    return ask([stream(*fragments, *end(reason))])


def name(text: str, arguments: str = "") -> dict[str, str]:
    return {"name": text, "arguments": arguments}


def test_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    reply = called(
        fragment(id="a", function=name("bash", "{")),
        fragment(function={"arguments": "}"}),
        fragment(id="b", function=name("submit", "{}")),
    )
    assert reply.tool_calls == (
        ToolCall(id="a", name="bash", arguments="{}"),
        ToolCall(id="b", name="submit", arguments="{}"),
    )


def test_a_call_without_an_id_gets_one() -> None:
    reply = called(fragment(index=0, function=name("bash", "{}")))
    assert reply.tool_calls == (ToolCall(id="call_0", name="bash", arguments="{}"),)


def test_a_call_without_a_name_has_none() -> None:
    reply = called(fragment(index=0, id="a", function={"arguments": "{}"}))
    assert reply.tool_calls == (ToolCall(id="a", name="", arguments="{}"),)


def test_id_and_name_may_come_with_every_fragment() -> None:
    reply = called(
        fragment(index=0, id="a", function=name("bash", "{")),
        fragment(index=0, id="a", function=name("bash", "}")),
    )
    assert reply.tool_calls == (ToolCall(id="a", name="bash", arguments="{}"),)


@pytest.mark.row("F8")
@pytest.mark.parametrize("ids", [["a", "a"], ["a", "a", "a_1"], ["call_1", None, "call_1"]])
def test_no_two_calls_have_one_id(ids: list[str | None]) -> None:
    fragments = [
        fragment(index=index, id=one, function=name("bash", "{}")) for index, one in enumerate(ids)
    ]
    assert len({call.id for call in called(*fragments).tool_calls}) == len(ids)


def test_half_a_call_at_the_token_limit_is_kept_as_it_came() -> None:
    reply = called(
        fragment(index=0, id="a", function=name("bash", '{"command": "l')), reason="length"
    )
    assert (reply.finish_reason, reply.tool_calls[0].arguments) == ("length", '{"command": "l')


def test_another_model_than_before_is_named() -> None:
    with pytest.raises(EngineError, match=r"another model answers: 'other'.*'mine'"):
        ask([Scripted(text="ok", model="other")], answers_as="mine")


def test_the_same_model_as_before_is_heard() -> None:
    assert ask([Scripted(text="ok", model="mine")], answers_as="mine").text == "ok"


def test_an_engine_that_names_no_model_is_believed() -> None:
    assert ask([stream(delta(content="ok"), *end())], answers_as="mine").text == "ok"


@pytest.mark.row("F8")
def test_half_a_character_is_replaced() -> None:
    assert ask([stream(delta(content="o\ud83d"), *end())]).text == "o?"


FIELDS = ("choices", "delta", "content", "tool_calls", "function", "index", "id", "name", "usage")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
)
deltas = st.fixed_dictionaries(
    {},
    optional={
        "content": json_values,
        "tool_calls": st.lists(
            st.fixed_dictionaries(
                {}, optional={"index": json_values, "id": json_values, "function": json_values}
            )
        )
        | json_values,
        "reasoning": json_values,
    },
)
chunks = json_values | st.builds(
    lambda one, reason, usage, model: {
        "choices": [{"delta": one, "finish_reason": reason}],
        "usage": usage,
        "model": model,
    },
    deltas,
    st.none() | st.just("stop") | json_values,
    st.just(USAGE) | json_values,
    st.none() | st.text(),
)


@pytest.mark.row("F8")
@given(st.lists(chunks, max_size=4))
def test_any_answer_is_one_or_is_refused(parts: list[object]) -> None:
    answer = Answer()
    with suppress(EngineError, MayPassError):
        for part in parts:
            answer.add(part, 0.1)
        assert isinstance(answer.reply(1.0), Reply)

"""Which data-parallel replica a conversation asks, and when it moves."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.config.runner import Sampling
from evalkit.protocols import Message
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.fetch import get
from evalkit.serving.replicas import Replicas, least_loaded, refuge
from evalkit.serving.scripted import Scripted, scripted_server
from evalkit.types import Replica

IDLE = Replica()
BUSY = Replica(running=8, kv_usage=0.5)
FULL = Replica(running=8, kv_usage=0.95)
QUEUE = Replica(running=8, waiting=2, kv_usage=0.4)

looks = st.lists(
    st.builds(
        Replica,
        running=st.integers(0, 99),
        waiting=st.integers(0, 9),
        kv_usage=st.floats(0, 1, allow_nan=False),
    ),
    min_size=2,
    max_size=8,
)

BEGINS = {
    "all idle": ([IDLE, IDLE], {}, 0),
    "one is busy": ([BUSY, IDLE], {}, 1),
    "those we have count": ([IDLE, IDLE, IDLE], {0: 1, 2: 1}, 1),
    "those that wait count": ([QUEUE, BUSY], {}, 1),
    "ours and others'": ([Replica(running=3), IDLE], {1: 4}, 0),
    "KV use decides between equals": ([Replica(kv_usage=0.2), Replica(kv_usage=0.1)], {}, 1),
}


@pytest.mark.parametrize(("replicas", "ours", "rank"), BEGINS.values(), ids=BEGINS)
def test_a_conversation_begins_where_least_is_to_do(
    replicas: Sequence[Replica], ours: Mapping[int, int], rank: int
) -> None:
    assert least_loaded(replicas, ours) == rank


MOVES = {
    "its own is not overloaded": ([BUSY, IDLE], None),
    "requests wait": ([QUEUE, IDLE], 1),
    "its KV cache is full": ([FULL, IDLE], 1),
    "the other is full too": ([FULL, FULL], None),
    "requests wait at the other": ([FULL, QUEUE], None),
    "the other is hardly freer": ([FULL, Replica(kv_usage=0.85)], None),
    "to the freest": ([FULL, BUSY, IDLE], 2),
}


@pytest.mark.parametrize(("replicas", "rank"), MOVES.values(), ids=MOVES)
def test_a_conversation_moves_from_an_overloaded_replica_to_a_free_one(
    replicas: Sequence[Replica], rank: int | None
) -> None:
    assert refuge(replicas, {}, 0) == rank


@given(looks, st.data())
def test_a_refuge_is_free_and_elsewhere(look: Sequence[Replica], data: st.DataObject) -> None:
    here = data.draw(st.integers(0, len(look) - 1))
    there = refuge(look, {}, here)
    assert there is None or (there != here and not look[there].waiting)


@given(st.integers(2, 8), st.integers(1, 64))
def test_rollouts_that_start_together_are_spread(replicas: int, rollouts: int) -> None:
    choice = Replicas(lambda look=(IDLE,) * replicas: look)  # type: ignore[misc]
    taken = Counter(choice.rank(None, begins=True) for _ in range(rollouts))
    assert max(taken.values()) - min(taken[rank] for rank in range(replicas)) <= 1


@given(st.lists(looks, min_size=1, max_size=9))
def test_each_conversation_is_counted_once(seen: Sequence[Sequence[Replica]]) -> None:
    left = iter(seen)
    choice = Replicas(lambda: next(left))
    here: int | None = None
    for number in range(len(seen)):
        here = choice.rank(here, begins=number == 0)
    assert {rank: count for rank, count in choice.ours.items() if count} == {here: 1}


class Looks:
    """The last look, to be replaced by the next."""

    def __init__(self, *first: Replica) -> None:
        self.last: Sequence[Replica] = first

    def __call__(self) -> Sequence[Replica]:
        return self.last


def test_it_stays_whatever_the_load_short_of_too_much() -> None:
    looks = Looks(IDLE, BUSY)
    choice = Replicas(looks)
    here = choice.rank(None, begins=True)
    looks.last = (Replica(running=64, kv_usage=0.9), IDLE)
    assert choice.rank(here, begins=False) == here == 0


def test_one_conversation_moves_for_each_look() -> None:
    looks = Looks(IDLE, BUSY)
    choice = Replicas(looks)
    places = [choice.rank(None, begins=True) for _ in range(4)]
    looks.last = (FULL, IDLE)
    moved = [choice.rank(place, begins=False) for place in places]
    assert (places, moved) == ([0] * 4, [1, 0, 0, 0])


def test_the_next_one_moves_at_the_next_look() -> None:
    looks = Looks(IDLE, BUSY)
    choice = Replicas(looks)
    places = [choice.rank(None, begins=True) for _ in range(2)]
    looks.last = (FULL, IDLE)
    places = [choice.rank(place, begins=False) for place in places]
    looks.last = (FULL, Replica(running=1))
    assert [choice.rank(place, begins=False) for place in places] == [1, 1]


@pytest.mark.parametrize("look", [(), (IDLE,)])
def test_without_a_choice_no_replica_is_named(look: Sequence[Replica]) -> None:
    assert Replicas(lambda: look).rank(None, begins=True) is None


def test_a_replica_that_is_gone_is_left() -> None:
    looks = Looks(BUSY, BUSY, IDLE)
    choice = Replicas(looks)
    here = choice.rank(None, begins=True)
    looks.last = (IDLE, BUSY)
    assert (here, choice.rank(here, begins=False)) == (2, 0)


def said(*contents: str) -> list[Message]:
    return [{"role": "user", "content": content} for content in contents]


def keep(into: list[int | None]) -> Callable[[Mapping[str, Any]], Scripted]:
    def answer(body: Mapping[str, Any]) -> Scripted:
        into.append(body.get("replica"))
        return Scripted(text="ok")

    return answer


def turns(look: Callable[[], Sequence[Replica]], *conversations: Sequence[Message]) -> list[Any]:
    """Ask all in one thread; return the replicas that were named, as they arrived."""
    named: list[int | None] = []
    with (
        scripted_server(keep(named), replicas=4) as url,
        closing(OpenAIChat(url, "scripted", Sampling(), replicas=look)) as chat,
    ):
        for messages in conversations:
            chat.chat(messages, [], deadline=time.monotonic() + 30)
    return named


def test_the_turns_of_a_conversation_name_one_replica() -> None:
    messages = said("1", "2", "3")
    assert turns(Looks(IDLE, IDLE), messages[:1], messages[:2], messages) == [0, 0, 0]


def test_another_conversation_of_the_thread_takes_the_place_of_the_first() -> None:
    assert turns(Looks(BUSY, IDLE), said("1"), said("other")) == [1, 1]


def test_another_conversation_chooses_anew() -> None:
    looks = iter([(BUSY, IDLE), (IDLE, BUSY)])
    assert turns(lambda: next(looks), said("1"), said("other")) == [1, 0]


def test_one_with_the_same_opening_is_another_too() -> None:
    looks = iter([(BUSY, IDLE), (IDLE, BUSY)])
    opening, first, other = said("opening", "1", "other")
    assert turns(lambda: next(looks), [opening, first], [opening, other]) == [1, 0]


def test_nothing_is_named_where_the_engine_has_one_replica() -> None:
    assert turns(Looks(IDLE), said("1")) == [None]


def test_nothing_is_named_where_nothing_is_known() -> None:
    named: list[int | None] = []
    with scripted_server(keep(named)) as url, closing(OpenAIChat(url, "m", Sampling())) as chat:
        chat.chat(said("1"), [], deadline=time.monotonic() + 30)
    assert named == [None]


def test_threads_that_begin_together_are_spread() -> None:
    named: list[int | None] = []
    with (
        scripted_server(keep(named), replicas=4) as url,
        closing(OpenAIChat(url, "m", Sampling(), replicas=Looks(*[IDLE] * 4))) as chat,
    ):
        asks = [
            Thread(
                target=chat.chat,
                args=(said(f"{n}"), []),
                kwargs={"deadline": time.monotonic() + 30},
            )
            for n in range(16)
        ]
        for one in asks:
            one.start()
        for one in asks:
            one.join()
    assert Counter(named) == {0: 4, 1: 4, 2: 4, 3: 4}


def test_the_double_counts_each_replica() -> None:
    with (
        scripted_server([Scripted(text="hi")], replicas=2) as url,
        closing(OpenAIChat(url, "m", Sampling(), replicas=Looks(BUSY, IDLE))) as chat,
    ):
        chat.chat(said("1"), [], deadline=time.monotonic() + 30)
        metrics = get(url.removesuffix("/v1") + "/metrics", timeout_s=5).decode()
    assert 'vllm:generation_tokens_total{engine="0",model_name="scripted"} 0' in metrics
    assert 'vllm:generation_tokens_total{engine="1",model_name="scripted"} 1' in metrics

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.reporting.agreement import Agreement, Pair, agreements
from evalkit.reporting.load import load_run
from evalkit.types import EngineSample, Incarnation, Received, Usage
from tests.unit.reporting.conftest import WriteRun

RECEIVED = Received(
    turns=Usage(prompt_tokens=4000, completion_tokens=900),
    probes=Usage(prompt_tokens=30, completion_tokens=4),
    repeated=Usage(prompt_tokens=970, completion_tokens=96),
)
COUNTED = Incarnation(
    number=1,
    started=0,
    max_model_len=4096,
    counter=Usage(prompt_tokens=4900, completion_tokens=995),
    received_then=990,
    received=RECEIVED,
)


def _agreements(
    write_run: WriteRun, *incarnations: Incarnation, **rest: Any
) -> tuple[Agreement, ...]:
    told = [one.model_dump(mode="json") for one in incarnations]
    return agreements(load_run(write_run(engine={"incarnations": told}, **rest)))


def test_the_counter_is_held_against_what_had_come_at_the_last_look(write_run: WriteRun) -> None:
    (one,) = _agreements(write_run, COUNTED)
    assert one.completion == Pair(engine=995, received=990)


def test_prompt_tokens_are_held_against_those_of_all_requests(write_run: WriteRun) -> None:
    (one,) = _agreements(write_run, COUNTED)
    assert one.prompt == Pair(engine=4900, received=5000)


def test_it_is_told_where_the_tokens_went(write_run: WriteRun) -> None:
    (one,) = _agreements(write_run, COUNTED)
    assert one.received == RECEIVED


def test_every_start_of_the_engine_stands_for_itself(write_run: WriteRun) -> None:
    second = COUNTED.model_copy(update={"number": 2, "received_then": 500})
    found = _agreements(write_run, COUNTED, second)
    assert [one.completion and one.completion.agrees for one in found] == [True, False]


def test_an_engine_that_tells_no_counters_is_not_judged(write_run: WriteRun) -> None:
    silent = COUNTED.model_copy(update={"counter": Usage()})
    (one,) = _agreements(write_run, silent)
    assert (one.completion, one.prompt) == (None, None)


def test_an_engine_whose_counter_stood_still_is_judged(write_run: WriteRun) -> None:
    still = COUNTED.model_copy(update={"counter": Usage()})
    (one,) = _agreements(write_run, still, samples=[EngineSample(t=1, incarnation=1)])
    assert one.completion == Pair(engine=0, received=990)


@pytest.mark.parametrize(
    ("engine", "received", "agrees"),
    [(1000, 1000, True), (1000, 990, True), (1000, 1010, True), (1000, 989, False),
     (1000, 1011, False), (0, 0, True), (0, 1, False)],
)  # fmt: skip
def test_within_one_percent_of_the_engines_count_is_agreement(
    engine: int, received: int, agrees: bool
) -> None:
    assert Pair(engine=engine, received=received).agrees is agrees


def test_the_difference_is_negative_where_we_have_less() -> None:
    assert Pair(engine=200, received=199).difference == -0.005


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_equal_counts_alone_are_no_difference(engine: int, received: int) -> None:
    assert (Pair(engine=engine, received=received).difference == 0) is (engine == received)

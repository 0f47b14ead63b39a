from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import EngineError
from evalkit.serving.metrics import parse, scrape
from evalkit.types import EngineSample, Replica

PAGE = Path(__file__).with_name("vllm_0_32.prom").read_text(encoding="utf-8")
"""As the tiny engine of tests/engine showed it with one request running and one waiting; most of
its lines are left out."""

TWO_ENGINES = """# HELP vllm:num_requests_running Number of requests
vllm:num_requests_running{engine="0",model_name="m"} 2.0
vllm:num_requests_running{engine="1",model_name="m"} 3.0
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 9.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.5
vllm:prompt_tokens_total{engine="0",model_name="m"} 1.25e+03
vllm:prompt_tokens_total{engine="1",model_name="m"} 50.0
vllm:generation_tokens_total{engine="0",model_name="m"} 66.0
vllm:generation_tokens_created{engine="0",model_name="m"} 1.7e+09
"""

SGLANG = """
sglang:num_running_reqs{dp_rank="0",engine_type="unified",model_name="m",pp_rank="0"} 2.0
sglang:num_running_reqs{dp_rank="0",engine_type="unified",model_name="m",pp_rank="1"} 2.0
sglang:num_running_reqs{dp_rank="1",engine_type="unified",model_name="m",pp_rank="0"} 4.0
sglang:num_queue_reqs{dp_rank="1",engine_type="unified",model_name="m",pp_rank="0"} 1.0
sglang:token_usage{dp_rank="1",engine_type="unified",model_name="m",pp_rank="0"} 0.75
sglang:max_total_num_tokens{dp_rank="0",engine_type="unified",model_name="m",pp_rank="0"} 1000.0
sglang:max_total_num_tokens{dp_rank="0",engine_type="unified",model_name="m",pp_rank="1"} 1000.0
sglang:max_total_num_tokens{dp_rank="1",engine_type="unified",model_name="m",pp_rank="0"} 1000.0
sglang:cuda_graph_passes_total{dp_rank="0",mode="decode_cuda_graph",model_name="m"} 30.0
sglang:cuda_graph_passes_total{dp_rank="0",mode="prefill_none",model_name="m"} 3.0
sglang:num_retracted_requests_total{dp_rank="0",model_name="m"} 1.0
sglang:prompt_tokens_total{engine_type="unified",is_streaming="true",model_name="m"} 500.0
sglang:prompt_tokens_total{engine_type="unified",is_streaming="false",model_name="m"} 20.0
sglang:cached_tokens_total{cache_source="device",engine_type="unified",model_name="m"} 300.0
sglang:generation_tokens_total{engine_type="unified",is_streaming="true",model_name="m"} 70.0
"""


def test_counters_of_several_engines_add_up() -> None:
    assert parse(TWO_ENGINES, t=0).prompt_tokens == 1300


def test_gauges_of_several_engines_add_up() -> None:
    assert parse(TWO_ENGINES, t=0).running == 5


def test_a_longer_name_is_another_counter() -> None:
    assert parse(TWO_ENGINES, t=0).waiting == 1


def test_the_fullest_cache_counts() -> None:
    assert parse(TWO_ENGINES, t=0).kv_usage == 0.5


def test_each_replica_is_told_apart() -> None:
    assert parse(TWO_ENGINES, t=0).replicas == (
        Replica(running=2, waiting=1, kv_usage=0.25),
        Replica(running=3, kv_usage=0.5),
    )


def test_replicas_are_in_the_order_of_their_ranks() -> None:
    lines = [f'vllm:num_requests_running{{engine="{rank}"}} {rank}' for rank in (10, 2, 0)]
    replicas = parse("\n".join(lines), t=0).replicas
    assert [replica.running for replica in replicas] == [0, 2, 10]


def test_an_engine_that_names_no_replica_is_one() -> None:
    assert parse("vllm:num_requests_running 2.0", t=0).replicas == (Replica(running=2),)


def test_a_page_of_vllm_is_read() -> None:
    assert parse(PAGE, t=7) == EngineSample(
        t=7,
        prompt_tokens=1892,
        cached_tokens=896,
        generation_tokens=44,
        steps=44,
        running=1,
        waiting=1,
        kv_usage=0.0021975338786472953,
        capacity_tokens=883011,
        replicas=(Replica(running=1, waiting=1, kv_usage=0.0021975338786472953),),
    )


def test_a_page_of_sglang_is_read() -> None:
    assert parse(SGLANG, t=7) == EngineSample(
        t=7,
        prompt_tokens=520,
        cached_tokens=300,
        generation_tokens=70,
        steps=33,
        preemptions=1,
        running=6,
        waiting=1,
        kv_usage=0.75,
        capacity_tokens=2000,
        replicas=(Replica(running=2), Replica(running=4, waiting=1, kv_usage=0.75)),
    )


def _info(engine: int, **labels: object) -> str:
    inside = ",".join(f'{key}="{value}"' for key, value in {**labels, "engine": engine}.items())
    return f"vllm:cache_config_info{{{inside}}} 1.0\n"


def test_capacity_is_the_sum_of_what_replicas_hold() -> None:
    page = "".join(_info(rank, kv_cache_size_tokens=5000, num_gpu_blocks=700) for rank in (0, 1))
    assert parse(page, t=0).capacity_tokens == 10000


def test_blocks_tell_the_capacity_of_all_replicas_where_the_engine_does_not() -> None:
    told = {"kv_cache_size_tokens": None, "num_gpu_blocks": 700, "block_size": 16}
    page = "".join(_info(rank, **told) for rank in (0, 1))
    assert parse(page, t=0).capacity_tokens == 11200


def test_an_engine_without_blocks_tells_no_capacity() -> None:
    page = _info(0, kv_cache_size_tokens=None, num_gpu_blocks=None, block_size=16)
    assert parse(page, t=0).capacity_tokens == 0


def test_braces_and_quotes_within_a_label_are_no_end_of_it() -> None:
    page = _info(0, odd=r"{\"a\": \"engine=9\"} 7", kv_cache_size_tokens=5)
    assert parse(page, t=0).capacity_tokens == 5


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "many"])
def test_what_is_no_count_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=value.strip("+")):
        parse(f"vllm:num_requests_running {value}\n", t=0)


def test_a_page_without_counters_is_refused() -> None:
    with pytest.raises(ValueError, match="none of the counters"):
        parse("up 1\n", t=0)


LINES = st.builds(
    "{}{{{}}} {}".format,
    st.sampled_from(
        ["vllm:num_requests_running", "vllm:cache_config_info", "sglang:cached_tokens_total", "up"]
    ),
    st.sampled_from(['engine="1"', 'dp_rank="x"', 'kv_cache_size_tokens="²"', 'engine="'])
    | st.text(),
    st.sampled_from(["1.0", "1e308", "9" * 400, "1 1700000000"]) | st.text(),
)


@given(st.lists(LINES | st.text()).map("\n".join))
def test_no_text_fails_in_another_way(text: str) -> None:
    with suppress(ValueError):
        parse(text, t=0)


def test_an_engine_that_is_not_there_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match="cannot be read"):
        scrape("http://127.0.0.1:9/v1")

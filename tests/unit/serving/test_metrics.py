import time

import pytest

from evalkit.errors import EngineError
from evalkit.serving.metrics import Sampler, parse, scrape
from evalkit.serving.scripted import scripted_server
from evalkit.types import EngineSample

TWO_ENGINES = """# HELP vllm:num_requests_running Number of requests
vllm:num_requests_running{engine="0",model_name="m"} 2.0
vllm:num_requests_running{engine="1",model_name="m"} 3.0
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 9.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.5
vllm:prompt_tokens_total{engine="0",model_name="m"} 1.25e+03
vllm:generation_tokens_total{engine="0",model_name="m"} 66.0
vllm:generation_tokens_created{engine="0",model_name="m"} 1.7e+09
"""


def test_counters_of_several_engines_add_up() -> None:
    assert parse(TWO_ENGINES, t=0).running == 5


def test_a_longer_name_is_another_counter() -> None:
    assert parse(TWO_ENGINES, t=0).waiting == 1


def test_the_fullest_cache_counts() -> None:
    assert parse(TWO_ENGINES, t=0).kv_usage == 0.5


def test_numbers_in_scientific_form_are_read() -> None:
    assert parse(TWO_ENGINES, t=0).prompt_tokens == 1250


def test_a_page_without_counters_is_refused() -> None:
    with pytest.raises(ValueError, match="none of vLLM's counters"):
        parse("up 1\n", t=0)


def test_an_engine_that_is_not_there_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match="cannot be read"):
        scrape("http://127.0.0.1:9/v1")


def test_the_sampler_hands_samples_over_while_its_block_runs() -> None:
    samples: list[EngineSample] = []
    missed: list[str] = []
    with (
        scripted_server([]) as url,
        Sampler(url, samples.append, missed.append, every_s=0.05),
    ):
        time.sleep(0.4)
    assert len(samples) >= 3


def test_the_sampler_is_silent_after_its_block() -> None:
    samples: list[EngineSample] = []
    missed: list[str] = []
    with (
        scripted_server([]) as url,
        Sampler(url, samples.append, missed.append, every_s=0.05),
    ):
        pass
    taken = len(samples)
    time.sleep(0.2)
    assert len(samples) == taken


def test_a_gap_in_the_samples_is_told_with_its_reason() -> None:
    samples: list[EngineSample] = []
    missed: list[str] = []
    with Sampler("http://127.0.0.1:9/v1", samples.append, missed.append, every_s=5):
        time.sleep(0.1)
    assert "cannot be read" in missed[0]

"""What is tried next where memory did not do. The messages are vLLM's and PyTorch's own."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.config.engine import EngineConfig
from evalkit.errors import EngineError
from evalkit.serving.shorten import LEAST, check_chosen, shorter

KV_CACHE = (
    "(EngineCore pid=316) ValueError: To serve at least one request with the model's max seq len "
    "(100000), (4.26 GiB KV cache is needed, which is larger than the available KV cache memory "
    "(4.25 GiB). Based on the available memory, the estimated maximum model length is 99840. "
)
NO_ROOM = (
    "ValueError: No available memory for the cache blocks. Try increasing "
    "`gpu_memory_utilization` when initializing the engine "
)
TORCH = (
    "(Worker_TP0 pid=41) ERROR torch.OutOfMemoryError: CUDA out of memory. Tried to allocate "
    "50.00 MiB. GPU 0 has a total capacity of 23.56 GiB of which 56.88 MiB is free."
)
ROCM = "torch.OutOfMemoryError: HIP out of memory. Tried to allocate 2.00 GiB."
OLDER = (
    "ValueError: The model's max seq len (4096) is larger than the maximum number of tokens that "
    "can be stored in KV cache (3664). Try increasing `gpu_memory_utilization`"
)
HELD_BY_OTHERS = (
    "ValueError: Free memory on device cuda:0 (3.9/79.1 GiB) on startup is less than desired GPU "
    "memory utilization (0.9, 71.2 GiB). Decrease GPU memory utilization or reduce GPU memory "
    "used by other processes."
)
NOT_ONE_TOKEN = (
    "ValueError: Cannot auto-fit max_model_len: not enough GPU memory available to serve even a "
    "single token. Try increasing `gpu_memory_utilization`."
)


def config(max_model_len: int = 262144, **keys: object) -> EngineConfig:
    return EngineConfig.model_validate(
        {"model": "m", "max_model_len": max_model_len, "shorten_to_fit": True, **keys}
    )


def tried(first: EngineConfig, log: str = KV_CACHE) -> Iterator[int | str]:
    """Every start after the first, where each fails with `log`."""
    following = shorter(first, log)
    while following is not None:
        yield "auto" if following.longest_that_fits else following.max_model_len
        following = shorter(following, log)


def test_the_engine_chooses_first_and_then_it_gets_shorter_and_shorter() -> None:
    assert list(tried(config())) == ["auto", 131072, 65536, 32768]


def test_a_longer_context_comes_down_to_the_first_step() -> None:
    assert list(tried(config(1_000_000)))[:2] == ["auto", 262144]


def test_an_engine_that_cannot_choose_is_not_asked_to() -> None:
    assert list(tried(config(kind="sglang"))) == [131072, 65536, 32768]


def test_a_runner_can_forbid_the_engine_to_choose() -> None:
    assert list(tried(config(longest_that_fits=False))) == [131072, 65536, 32768]


def test_nothing_is_shorter_than_the_least() -> None:
    assert shorter(config(LEAST), KV_CACHE) is None


def test_only_where_the_runner_allows_it() -> None:
    assert shorter(config(shorten_to_fit=False), KV_CACHE) is None


@pytest.mark.parametrize("log", [KV_CACHE, NO_ROOM, TORCH, ROCM, OLDER])
def test_memory_that_does_not_do_is_recognised(log: str) -> None:
    assert shorter(config(), log) is not None


@pytest.mark.parametrize(
    "log", [HELD_BY_OTHERS, NOT_ONE_TOKEN, "KeyError: 'invalid tool call parser: hermess'", ""]
)
def test_of_another_fault_a_shorter_context_is_no_cure(log: str) -> None:
    assert shorter(config(), log) is None


def lengths(first: int) -> list[int]:
    return [first, *(step for step in tried(config(first)) if isinstance(step, int))]


@given(st.integers(512, 2_000_000))
def test_every_step_is_less_than_what_failed(first: int) -> None:
    assert lengths(first) == sorted(set(lengths(first)), reverse=True)


@given(st.integers(512, 2_000_000))
def test_no_step_is_below_the_least(first: int) -> None:
    assert min(lengths(first)) >= min(first, LEAST)


def chosen(**keys: object) -> EngineConfig:
    wanted = {"model": "m", "max_model_len": 262144, "shorten_to_fit": True} | keys
    return EngineConfig.model_validate({**wanted, "longest_that_fits": True})


def test_an_engine_that_found_room_for_too_little_is_refused() -> None:
    with pytest.raises(EngineError, match="8,192 tokens only"):
        check_chosen(chosen(), 8192)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (chosen(), LEAST),
        (chosen(), None),
        (chosen(shorten_to_fit=False), 8192),
        (chosen(max_model_len=LEAST), 8192),
    ],
    ids=["enough", "untold", "the user's own choice", "no more was wanted"],
)
def test_any_other_length_is_taken_as_it_is(config: EngineConfig, told: int | None) -> None:
    check_chosen(config, told)

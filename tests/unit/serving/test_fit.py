"""How a model is split over a machine, and whether it fits there."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evalkit.config.engine import EngineConfig, ModelShape
from evalkit.errors import ConfigError, EngineError
from evalkit.serving.fit import Fit, fit, memory, obstacle
from evalkit.serving.machine import Gpu, Machine
from evalkit.serving.shape import Model, Weights, assumed_weights

QWEN3_NEXT = ModelShape(
    attention_heads=16,
    kv_heads=2,
    head_dim=256,
    attention_layers=12,
    linear_attention=True,
    expert_size=512,
)
IN_FP8 = QWEN3_NEXT.model_copy(update={"fp8_block": 128})
DENSE = ModelShape(attention_heads=12, kv_heads=2, head_dim=128, attention_layers=28)
MTP = {"method": "mtp", "num_speculative_tokens": 2}


def gpus(count: int, gib: float | None = 80) -> Machine:
    return Machine(gpus=(Gpu("H100", gib),) * count, cores=tuple(range(64)), fast_bf16=True)


def cores(count: int) -> Machine:
    return Machine(gpus=(), cores=tuple(range(count)), fast_bf16=True)


def config(**keys: Any) -> EngineConfig:
    return EngineConfig.model_validate({"model": "m", "max_model_len": 262144, **keys})


def tried(
    machine: Machine, shape: ModelShape | None = QWEN3_NEXT, params_b: float = 80, **keys: Any
) -> Fit:
    wanted = config(**keys)
    return fit(wanted, machine, Model(shape, assumed_weights(wanted, shape, params_b)))


# --- automatic tensor parallelism ---


@pytest.mark.parametrize(
    ("machine", "shape", "keys", "ranks"),
    [
        (gpus(8), QWEN3_NEXT, {}, 8),
        (gpus(6), QWEN3_NEXT, {}, 4),
        (gpus(8), QWEN3_NEXT, {"data_parallel_size": 2}, 4),
        (gpus(8), QWEN3_NEXT, {"pipeline_parallel_size": 2}, 4),
        (gpus(8), IN_FP8, {}, 4),
        (gpus(8), IN_FP8, {"expert_parallel": True}, 8),
        (gpus(8), DENSE, {"max_model_len": 32768}, 6),
        (gpus(6), None, {}, 4),
        (cores(8), QWEN3_NEXT, {"cpu_kv_cache_gib": 8}, 1),
    ],
)
def test_auto_is_as_many_gpus_as_the_model_can_be_split_over(
    machine: Machine, shape: ModelShape | None, keys: dict[str, Any], ranks: int
) -> None:
    fitted = tried(machine, shape, tensor_parallel_size="auto", **keys)
    assert fitted.config.tensor_parallel_size == ranks


shapes = st.builds(
    ModelShape,
    attention_heads=st.sampled_from([1, 8, 12, 16, 28, 40, 64]),
    kv_heads=st.sampled_from([1, 2, 4, 7, 8]),
    head_dim=st.just(128),
    attention_layers=st.integers(1, 80),
    expert_size=st.sampled_from([None, 512, 768, 1408]),
    fp8_block=st.sampled_from([None, 128]),
)


@given(shapes, st.integers(1, 16), st.integers(1, 3), st.integers(1, 2))
def test_what_auto_takes_is_there_and_has_no_obstacle(
    shape: ModelShape, count: int, data: int, pipeline: int
) -> None:
    assume(data * pipeline <= count)
    keys = {"data_parallel_size": data, "pipeline_parallel_size": pipeline}
    wanted = config(tensor_parallel_size="auto", expert_parallel=True, **keys)
    ranks = fit(wanted, gpus(count, None), Model(shape)).config.tensor_parallel_size
    assert ranks != "auto"
    assert ranks * data * pipeline <= count
    assert obstacle(ranks, wanted, shape) == ""


# --- what cannot be split ---


@pytest.mark.parametrize(
    ("ranks", "shape", "keys", "why"),
    [
        (4, QWEN3_NEXT, {}, ""),
        (3, QWEN3_NEXT, {}, "16 query heads cannot be shared by tensor_parallel_size 3"),
        (4, DENSE, {}, ""),
        (3, DENSE, {}, "2 KV heads can be neither shared nor copied evenly"),
        (4, IN_FP8, {}, ""),
        (8, IN_FP8, {}, "experts of 512 in FP8 blocks of 128"),
        (8, IN_FP8, {"expert_parallel": True}, ""),
        (4, IN_FP8, {"data_parallel_size": 2}, "cannot be cut into 8"),
        (8, QWEN3_NEXT, {}, ""),
    ],
)
def test_a_model_is_split_by_heads_and_whole_blocks(
    ranks: int, shape: ModelShape, keys: dict[str, Any], why: str
) -> None:
    told = obstacle(ranks, config(**keys), shape)
    assert why in told if why else told == ""


def test_a_split_that_cannot_be_is_a_wrong_key_and_others_are_named() -> None:
    with pytest.raises(ConfigError) as refused:
        tried(gpus(8), tensor_parallel_size=3)
    assert refused.value.hint == "--set engine.tensor_parallel_size to one of 1, 2, 4, 8"


def test_where_no_split_is_right_whole_experts_are_offered() -> None:
    odd = IN_FP8.model_copy(update={"expert_size": 320})
    with pytest.raises(ConfigError) as refused:
        tried(gpus(8), odd, tensor_parallel_size="auto")
    assert "engine.expert_parallel=true" in refused.value.hint


# --- too few ---


@pytest.mark.parametrize(
    ("machine", "keys", "told"),
    [
        (gpus(4), {"tensor_parallel_size": 8}, "8 needs 8 GPUs, this machine has 4"),
        (
            gpus(4),
            {"tensor_parallel_size": 4, "data_parallel_size": 2},
            "tensor_parallel_size 4 x data_parallel_size 2 needs 8 GPUs",
        ),
        (
            gpus(1),
            {"tensor_parallel_size": "auto", "pipeline_parallel_size": 2},
            "tensor_parallel_size 1 x pipeline_parallel_size 2 needs 2 GPUs",
        ),
        (cores(2), {"tensor_parallel_size": 4}, "needs 4 CPU cores (no GPU), this machine has 2"),
    ],
)
def test_more_than_there_are_is_refused(machine: Machine, keys: dict[str, Any], told: str) -> None:
    with pytest.raises(EngineError) as refused:
        tried(machine, **keys)
    assert told in refused.value.message


def test_gpus_that_stay_idle_are_told() -> None:
    assert "4 of 8 GPUs stay idle" in tried(gpus(8), tensor_parallel_size=4).lines[1]


# --- memory ---


def test_the_sum_of_memory_is_told() -> None:
    # 80e9 x 2 bytes / 4 GPUs; 12 layers x 2 x 1 head x 256 x 2 bytes x 262,144 tokens
    assert tried(gpus(4), tensor_parallel_size=4).lines == (
        "fit: each of 4 takes 37.3 GiB of weights (assumed: 80 B parameters x 2 bytes) + 3.00 GiB "
        "of KV cache for one sequence of 262,144 tokens = 40.3 GiB, "
        "of 72.0 GiB (90% of 80.0 GiB)",
    )


def test_what_does_not_fit_is_refused_with_the_sum() -> None:
    with pytest.raises(EngineError, match=r"= 77\.5 GiB, of 72\.0 GiB \(90% of 80\.0 GiB\)"):
        tried(gpus(2), tensor_parallel_size=2)


def test_weights_alone_that_do_not_fit_need_more_gpus() -> None:
    with pytest.raises(EngineError) as refused:
        tried(gpus(2), tensor_parallel_size=2)
    assert refused.value.hint.startswith("take more or larger GPUs, or quantised weights")


def test_a_context_that_would_fit_is_named() -> None:
    # 38 GiB less 37.25 of weights leave room for 65,320 tokens of 12 KiB
    with pytest.raises(EngineError) as refused:
        tried(gpus(4, 40), tensor_parallel_size=4, gpu_memory_utilization=0.95)
    assert refused.value.hint == ("--set engine.max_model_len=64512 or engine.shorten_to_fit=true")


def test_where_it_may_get_shorter_the_full_length_need_not_fit() -> None:
    (line,) = tried(
        gpus(4, 40), tensor_parallel_size=4, gpu_memory_utilization=0.95, shorten_to_fit=True
    ).lines
    assert line.endswith("it will start with a shorter context")


def test_where_it_may_get_shorter_the_least_length_must_fit() -> None:
    with pytest.raises(EngineError, match="one sequence of 32,768 tokens"):
        tried(gpus(2), tensor_parallel_size=2, shorten_to_fit=True)


def test_the_smallest_gpu_in_use_decides() -> None:
    mixed = Machine(gpus=(Gpu("a", 80), Gpu("b", 40)), cores=(0,), fast_bf16=True)
    assert memory(config(tensor_parallel_size=2), mixed, Model(DENSE)).room == pytest.approx(36)


def test_memory_that_the_driver_does_not_tell_is_not_checked() -> None:
    assert "of an unknown size" in tried(gpus(2, None), tensor_parallel_size=2).lines[0]


def test_of_a_model_of_unknown_shape_the_weights_are_checked() -> None:
    with pytest.raises(EngineError, match=r"KV cache unknown .* = at least 149\.0 GiB"):
        tried(gpus(1), None)


def test_of_a_model_of_unknown_shape_and_size_nothing_is_checked_and_that_is_said() -> None:
    assert fit(config(), gpus(1), Model()).lines == (
        "fit: each of 1 takes weights of unknown size + KV cache unknown for want of engine.shape "
        "= at least 0.0 GiB, of 72.0 GiB (90% of 80.0 GiB)",
    )


@pytest.mark.parametrize(
    ("keys", "kib"),
    [
        ({"tensor_parallel_size": 1}, 24),
        ({"tensor_parallel_size": 2}, 12),
        ({"tensor_parallel_size": 8}, 12),  # 2 heads on 8 GPUs: a copy of one on each
        ({"tensor_parallel_size": 2, "pipeline_parallel_size": 5}, 3),
        ({"tensor_parallel_size": 2, "dtype": "float32"}, 24),
        ({"tensor_parallel_size": 2, "extra_args": ["--kv-cache-dtype=fp8"]}, 6),
    ],
)
def test_a_token_takes_keys_and_values_of_every_attention_layer(
    keys: dict[str, Any], kib: int
) -> None:
    assert memory(config(**keys), gpus(16), Model(QWEN3_NEXT)).token == kib * 1024 / 2**30


@pytest.mark.parametrize(
    ("shape", "keys", "share"),
    [
        (DENSE, {"tensor_parallel_size": 2}, 50),
        (DENSE, {"tensor_parallel_size": 2, "pipeline_parallel_size": 2}, 25),
        (DENSE, {"tensor_parallel_size": 2, "data_parallel_size": 2}, 50),
        (QWEN3_NEXT, {"tensor_parallel_size": 2, "data_parallel_size": 2}, 25),
    ],
)
def test_replicas_share_experts_and_copy_the_rest(
    shape: ModelShape, keys: dict[str, Any], share: float
) -> None:
    assert memory(config(**keys), gpus(8), Model(shape, Weights(100, "told"))).share == share


def test_on_cpu_the_kv_cache_of_each_process_counts() -> None:
    with pytest.raises(EngineError, match=r"takes 6\.00 GiB of KV cache .* of 2 GiB \(cpu_kv"):
        tried(cores(2), tensor_parallel_size=1)


def test_on_cores_that_are_slow_in_bfloat16_a_token_takes_twice_as_much() -> None:
    slow = Machine(gpus=(), cores=(0,), fast_bf16=False)
    automatic = config(dtype="auto")
    assert memory(automatic, slow, Model(DENSE)).token == (
        2 * memory(automatic, cores(1), Model(DENSE)).token
    )


@given(shapes, st.sampled_from([1, 2, 4, 8]), st.floats(1, 200))
def test_more_gpus_never_take_more_of_each(shape: ModelShape, ranks: int, gib: float) -> None:
    model = Model(shape, Weights(gib, "told"))
    one = memory(config(tensor_parallel_size=ranks), gpus(16), model)
    two = memory(config(tensor_parallel_size=2 * ranks), gpus(16), model)
    assert two.share <= one.share
    assert two.token <= one.token


# --- wrong answers ---


@pytest.mark.parametrize("caching", [None, True])
def test_a_hybrid_with_prefix_caching_and_speculative_decoding_is_refused(
    caching: bool | None,
) -> None:
    with pytest.raises(ConfigError, match="vLLM issues 43559 and 53912"):
        tried(gpus(4), tensor_parallel_size=4, speculative=MTP, prefix_caching=caching)


@pytest.mark.parametrize(
    ("shape", "keys"),
    [
        (QWEN3_NEXT, {"speculative": MTP, "prefix_caching": False}),
        (QWEN3_NEXT, {"prefix_caching": True}),
        (DENSE, {"speculative": MTP, "prefix_caching": True}),
    ],
)
def test_each_alone_or_without_linear_attention_is_fine(
    shape: ModelShape, keys: dict[str, Any]
) -> None:
    assert tried(gpus(4), shape, tensor_parallel_size=4, **keys).lines

"""What is known of a model before it is loaded."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.config.engine import EngineConfig, ModelShape
from evalkit.errors import EngineError
from evalkit.serving.shape import Weights, assumed_weights, look_at, shape_of

QWEN2 = {
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "hidden_size": 1536,
    "num_hidden_layers": 28,
}
QWEN3_NEXT = {
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "hidden_size": 2048,
    "head_dim": 256,
    "num_hidden_layers": 48,
    "full_attention_interval": 4,
    "moe_intermediate_size": 512,
}
THREE_OF_FOUR = {
    "layer_types": ["linear_attention", "linear_attention", "linear_attention", "full_attention"]
}


def shape(**config: Any) -> ModelShape:
    read = shape_of(config)
    assert read is not None
    return read


def test_of_qwen2_every_layer_keeps_keys_and_values() -> None:
    assert shape(**QWEN2) == ModelShape(
        attention_heads=12, kv_heads=2, head_dim=128, attention_layers=28
    )


def test_of_qwen3_next_one_layer_in_four_does() -> None:
    assert shape(**QWEN3_NEXT) == ModelShape(
        attention_heads=16,
        kv_heads=2,
        head_dim=256,
        attention_layers=12,
        linear_attention=True,
        expert_size=512,
    )


@pytest.mark.parametrize(
    ("extra", "layers", "hybrid"),
    [
        ({"layer_types": ["full_attention"] * 28}, 28, False),
        ({"layer_types": ["sliding_attention", "full_attention"]}, 1, False),
        (THREE_OF_FOUR, 1, True),
        ({"layer_types": ["mamba", "attention", "mamba"]}, 1, True),
    ],
)
def test_layers_that_are_listed_are_counted_by_kind(
    extra: dict[str, Any], layers: int, hybrid: bool
) -> None:
    read = shape(**QWEN2, **extra)
    assert (read.attention_layers, read.linear_attention) == (layers, hybrid)


def test_without_kv_heads_every_query_head_has_its_own() -> None:
    assert shape(num_attention_heads=8, hidden_size=512, num_hidden_layers=2).kv_heads == 8


def test_the_text_half_of_a_model_that_sees_counts() -> None:
    assert shape(text_config=QWEN2, hidden_size=7) == shape(**QWEN2)


def test_blocks_of_fp8_are_read() -> None:
    fp8 = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    assert shape(**QWEN3_NEXT, quantization_config=fp8).fp8_block == 128


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"num_attention_heads": 8, "hidden_size": 512},
        {**QWEN2, "kv_lora_rank": 512},
        {**QWEN2, "layer_types": ["mamba", "mamba"]},
    ],
    ids=["empty", "no layers", "latent attention", "no attention"],
)
def test_what_cannot_be_read_is_unknown(config: dict[str, Any]) -> None:
    assert shape_of(config) is None


@given(
    st.dictionaries(
        st.sampled_from(sorted(QWEN3_NEXT)),
        st.none() | st.integers(-1, 4096) | st.lists(st.integers()) | st.text(),
    )
)
def test_any_part_of_a_config_is_read_or_unknown(config: dict[str, Any]) -> None:
    assert shape_of(config) is None or shape(**config).attention_layers >= 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(QWEN2))
    for number in (1, 2):
        (tmp_path / f"model-{number}.safetensors").write_bytes(bytes(1024))
    return tmp_path


RUNNERS_OWN = shape(**QWEN3_NEXT)


def config(**keys: Any) -> EngineConfig:
    return EngineConfig(model="org/model", shape=RUNNERS_OWN, **keys)


def test_a_folders_own_description_wins(folder: Path) -> None:
    assert look_at(config(), str(folder), None).shape == shape(**QWEN2)


def test_a_model_on_the_hub_has_the_runners_shape() -> None:
    assert look_at(config(), "org/model", None).shape == RUNNERS_OWN


def test_weights_in_a_folder_are_measured(folder: Path) -> None:
    assert look_at(config(), str(folder), 99).weights == Weights(
        2048 / 2**30, "measured: 2 files of weights"
    )


def test_weights_that_lie_there_twice_count_once(folder: Path) -> None:
    (folder / "consolidated.safetensors").write_bytes(bytes(4096))
    assert look_at(config(), str(folder), None).weights == Weights(
        2048 / 2**30, "measured: 2 files of weights"
    )


def test_weights_that_are_quantised_as_they_load_are_unknown(folder: Path) -> None:
    assert look_at(config(quantization="fp8"), str(folder), 99).weights is None


def test_a_folder_without_weights_tells_nothing_of_them(tmp_path: Path) -> None:
    assert look_at(config(), str(tmp_path), 99).weights is None


def test_a_damaged_description_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(EngineError, match=r"config\.json is damaged"):
        look_at(config(), str(tmp_path), None)


FP8 = RUNNERS_OWN.model_copy(update={"fp8_block": 128})


@pytest.mark.parametrize(
    ("keys", "own", "width"),
    [
        ({}, None, 2),
        ({"dtype": "auto"}, None, 2),
        ({"dtype": "float32"}, None, 4),
        ({"quantization": "fp8"}, None, 1),
        ({"quantization": "awq"}, None, 0.5),
        ({}, FP8, 1),
    ],
)
def test_weights_elsewhere_are_assumed_by_their_number(
    keys: dict[str, Any], own: ModelShape | None, width: float
) -> None:
    assumed = assumed_weights(config(**keys), own, 80)
    assert assumed == Weights(80e9 * width / 2**30, f"assumed: 80 B parameters x {width:g} bytes")


def test_a_quantisation_we_do_not_know_is_not_guessed() -> None:
    assert assumed_weights(config(quantization="newest"), None, 80) is None

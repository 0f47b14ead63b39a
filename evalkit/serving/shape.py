"""What a model asks of a machine: how it can be split, and how much its weights take."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from evalkit.config.engine import EngineConfig, ModelShape
from evalkit.errors import EngineError

_KEEP_ALL = {"full_attention", "attention"}
_KEEP_A_WINDOW = {"sliding_attention", "chunked_attention"}
"""Names in `layer_types`, as transformers has them; what is neither of these keeps a state."""

_QUANTISED = {"fp8": 1.0, "awq": 0.5, "awq_marlin": 0.5, "gptq": 0.5, "gptq_marlin": 0.5}
"""Bytes a parameter at least, by vLLM's name of the quantisation."""


class Weights(NamedTuple):
    """How much the weights of one copy of a model take."""

    gib: float
    origin: str
    """How that is known: measured or assumed, and from what."""


class Model(NamedTuple):
    """A model as `fit` wants it; None is unknown, and then unchecked."""

    shape: ModelShape | None = None
    weights: Weights | None = None


def look_at(config: EngineConfig, weights: str, params_b: float | None) -> Model:
    """Learn what can be known of a model without loading it.

    `weights` is a local folder, whose config.json and *.safetensors win over what the runner says,
    or a name on the model hub; `params_b` is the runner's total_params_b, in billions. Raises
    EngineError where config.json is damaged.
    """
    described = _config_json(Path(weights))
    shape = (shape_of(described) if described else None) or config.shape
    if Path(weights).is_dir():
        # Weights that are quantised as they load take less than their files.
        on_load = config.quantization and "quantization_config" not in described
        return Model(shape, None if on_load else _of_files(Path(weights)))
    return Model(shape, assumed_weights(config, shape, params_b))


def assumed_weights(
    config: EngineConfig, shape: ModelShape | None, params_b: float | None
) -> Weights | None:
    """Work the weights out from their number, as quantised or in the dtype of the runner."""
    width = _width(config, shape)
    if params_b is None or width is None:
        return None
    gib = params_b * 1e9 * width / 2**30
    return Weights(gib, f"assumed: {params_b:g} B parameters x {width:g} bytes")


def shape_of(described: Mapping[str, Any]) -> ModelShape | None:
    """Read a config.json of Qwen2, Qwen3-Next and most other families.

    None where it leaves something out, and for models whose cache is not made of keys and values
    of heads: latent attention (`kv_lora_rank`), or no layer that keeps every token.
    """
    text = {**described, **(described.get("text_config") or {})}
    layers = _attention_layers(text)
    heads = _number(text, "num_attention_heads")
    head_dim = _number(text, "head_dim") or _ratio(_number(text, "hidden_size"), heads)
    if not (layers and heads and head_dim) or text.get("kv_lora_rank"):
        return None
    block = (text.get("quantization_config") or {}).get("weight_block_size")
    return ModelShape(
        attention_heads=heads,
        kv_heads=_number(text, "num_key_value_heads") or heads,
        head_dim=head_dim,
        attention_layers=layers,
        linear_attention=_is_hybrid(text),
        expert_size=_number(text, "moe_intermediate_size"),
        fp8_block=block[0] if block else None,
    )


def _attention_layers(text: Mapping[str, Any]) -> int | None:
    if text.get("layer_types"):
        return sum(kind in _KEEP_ALL for kind in text["layer_types"])
    every = _number(text, "full_attention_interval") or 1
    return _ratio(_number(text, "num_hidden_layers"), every)


def _is_hybrid(text: Mapping[str, Any]) -> bool:
    if text.get("layer_types"):
        return not set(text["layer_types"]) <= _KEEP_ALL | _KEEP_A_WINDOW
    return _number(text, "full_attention_interval") is not None


def _number(text: Mapping[str, Any], key: str) -> int | None:
    """Return a number above 0; some families have a list, a number a layer."""
    value = text.get(key)
    return value if isinstance(value, int) and value > 0 else None


def _ratio(whole: int | None, parts: int | None) -> int | None:
    return whole // parts if whole and parts else None


def _config_json(folder: Path) -> Mapping[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        return {}
    try:
        described = json.loads(path.read_bytes())
    except ValueError as error:
        raise EngineError(f"{path} is damaged: {error}") from error
    if not isinstance(described, dict):
        raise EngineError(f"{path} is damaged: not a JSON object")
    return described


def _of_files(folder: Path) -> Weights | None:
    files = list(folder.glob("*.safetensors"))
    # Mistral's folders hold the weights twice, the second time as consolidated*.safetensors.
    files = [path for path in files if not path.name.startswith("consolidated")] or files
    if not files:
        return None
    gib = sum(path.stat().st_size for path in files) / 2**30
    return Weights(gib, f"measured: {len(files)} files of weights")


def _width(config: EngineConfig, shape: ModelShape | None) -> float | None:
    """Return bytes a parameter; None where the quantisation is not in our table."""
    if config.quantization:
        return _QUANTISED.get(config.quantization)
    if shape is not None and shape.fp8_block:
        return 1
    return 4 if config.dtype == "float32" else 2

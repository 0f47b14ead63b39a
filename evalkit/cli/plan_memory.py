"""What a model takes of GPUs that need not be here: the sums that are made before a start."""

from pathlib import Path

from evalkit.cli.estimate import Line, Planned
from evalkit.config.engine import EngineConfig
from evalkit.errors import EvalkitError
from evalkit.serving.fit import Memory, fit, memory, processes
from evalkit.serving.machine import Gpu, Machine
from evalkit.serving.shape import Model, look_at


def memory_lines(planned: Planned) -> list[Line]:
    """Work out weights, one full-length sequence and, where GPUs are named, whether both fit."""
    engine = planned.runner.engine
    if engine.kind == "endpoint":
        return []
    model = look_at(engine, engine.model, planned.runner.total_params_b)
    lines = [_weights(model), _sequence(engine, model)]
    return lines + _on_gpus(*planned.gpus, engine, model) if planned.gpus else lines


def _weights(model: Model) -> Line:
    if model.weights is None:
        return Line("weights", "unknown", "unknown: total_params_b or how they are quantised")
    return Line("weights", f"{model.weights.gib:.1f} GiB", model.weights.origin)


def _sequence(engine: EngineConfig, model: Model) -> Line:
    shape, tokens = model.shape, engine.max_model_len
    if shape is None:
        return Line("one sequence", "unknown", "unknown: engine.shape")
    whole = {"tensor_parallel_size": 1, "pipeline_parallel_size": 1, "data_parallel_size": 1}
    token = memory(engine.model_copy(update=whole), _machine(1, 0), model).token
    known = "measured: config.json" if Path(engine.model).is_dir() else "published: engine.shape"
    basis = (
        f"{known}, {shape.attention_layers} attention layers x {shape.kv_heads} KV heads of "
        f"{shape.head_dim} = {token * 2**20:g} KiB a token, x {tokens:,} tokens"
    )
    return Line("one sequence", f"{token * tokens:.1f} GiB of KV cache", basis)


def _on_gpus(count: int, gib: float, engine: EngineConfig, model: Model) -> list[Line]:
    what, machine = f"on {count}x{gib:g}", _machine(count, gib)
    try:
        config = fit(engine, machine, model).config
    except EvalkitError as error:
        return [Line(what, "does not fit", f"assumed: {error.message}; {error.hint}")]
    used = memory(config, machine, model)
    size, tokens = f"TP {config.tensor_parallel_size}", config.max_model_len
    if engine.tensor_parallel_size == "auto":
        size += " (auto)"
    idle = count - processes(config)
    figure = "fits" if used.holds(tokens) else "fits with a shorter context"
    split = (
        f"{size}, PP {config.pipeline_parallel_size}, DP {config.data_parallel_size}; {idle} idle"
    )
    return [
        Line(what, figure, f"assumed: {split}"),
        Line("memory a GPU", f"{used.share + used.token * tokens:.1f} GiB", used.total(tokens)),
        *_cache(used, config),
    ]


def _cache(used: Memory, config: EngineConfig) -> list[Line]:
    if not used.token:
        return []
    tokens = int(used.left / used.token) * config.data_parallel_size
    basis = (
        f"the same: {used.left:.1f} GiB left on each, less what activations and graphs take, "
        f"at {used.token * 2**20:g} KiB a token; copies of KV heads count"
    )
    full = tokens / config.max_model_len
    return [Line("KV cache", f"{tokens:,} tokens, {full:.1f} full sequences", basis)]


def _machine(count: int, gib: float) -> Machine:
    return Machine(gpus=(Gpu("planned", gib),) * count, cores=(), fast_bf16=True)

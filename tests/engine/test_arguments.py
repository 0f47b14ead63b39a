"""Our command lines, read by vLLM's own parser and held against its registries."""

import json
import subprocess
from pathlib import Path

import pytest

from evalkit.cli.wiring import cache_folder
from evalkit.config.content import content_names
from evalkit.config.engine import EngineConfig
from evalkit.config.runner import load_runner
from evalkit.serving.interpreter import engine_python
from evalkit.serving.machine import Gpu, Machine
from evalkit.serving.vllm import launch

GPUS = Machine(gpus=(Gpu("H100", 80.0),) * 8, cores=tuple(range(64)), fast_bf16=True)
CPU = Machine(gpus=(), cores=tuple(range(8)), fast_bf16=False)
RUNNERS = {
    name: runner.engine
    for name in content_names("runners")
    if (runner := load_runner(name, [])).engine.kind == "vllm"
}
EVERY_KEY = EngineConfig(
    model="org/model",
    tensor_parallel_size=2,
    pipeline_parallel_size=2,
    data_parallel_size=2,
    expert_parallel=True,
    longest_that_fits=True,
    gpu_memory_utilization=0.85,
    dtype="auto",
    quantization="fp8",
    load_format="dummy",
    tool_parser="qwen3_coder",
    reasoning_parser="qwen3",
    prefix_caching=False,
    speculative={"method": "mtp", "num_speculative_tokens": 2},
    enforce_eager=True,
    extra_args=("--seed", "7"),
)
WRONG = {
    "tool parser": EVERY_KEY.model_copy(update={"tool_parser": "qwen3_codr"}),
    "reasoning parser": EVERY_KEY.model_copy(update={"reasoning_parser": "qwen33"}),
    "argument": EVERY_KEY.model_copy(update={"extra_args": ("--sead", "7")}),
    "dtype": EVERY_KEY.model_copy(update={"dtype": "bf61"}),
}
CONFIGS = RUNNERS | {"every key": EVERY_KEY, **WRONG}


def arguments(config: EngineConfig, machine: Machine) -> list[str]:
    built = launch(config, machine, python="py", weights=config.model, port=8000, environ={})
    return list(built.argv[4:])  # python -P -m MODULE


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """What vLLM has to say, by machine and configuration; all in one process, it starts slowly."""
    lines = {
        f"{kind}: {name}": arguments(config, machine)
        for kind, machine in (("gpu", GPUS), ("cpu", CPU))
        for name, config in CONFIGS.items()
    }
    reader = Path(__file__).with_name("read_arguments.py")
    done = subprocess.run(
        [engine_python("auto", cache_folder()), "-P", str(reader)],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize("kind", ["gpu", "cpu"])
@pytest.mark.parametrize("name", [*RUNNERS, "every key"])
def test_vllm_takes_the_arguments_of(name: str, kind: str, told: dict[str, str]) -> None:
    assert told[f"{kind}: {name}"] == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("tool parser", "no tool parser is called qwen3_codr"),
        ("reasoning parser", "no reasoning parser is called qwen33"),
        ("argument", "--sead"),
        ("dtype", "bf61"),
    ],
)
def test_a_misspelt_name_is_refused(name: str, why: str, told: dict[str, str]) -> None:
    assert why in told[f"gpu: {name}"]


def test_there_are_runners_to_look_at() -> None:
    assert {"quickstart", "qwen3-coder-next", "qwen3-coder-next-mini"} <= RUNNERS.keys()

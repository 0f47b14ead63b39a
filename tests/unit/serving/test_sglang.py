import pytest

from evalkit.config.engine import EngineConfig
from evalkit.errors import ConfigError, EngineError
from evalkit.serving.launch import Launch
from evalkit.serving.machine import Gpu, Machine
from evalkit.serving.sglang import launch


def build(gpus: int = 8, weights: str = "org/model", **keys: object) -> Launch:
    config = EngineConfig.model_validate({"kind": "sglang", "model": "m", **keys})
    machine = Machine(gpus=(Gpu("H100", 80.0),) * gpus, cores=(0, 1), fast_bf16=True)
    return launch(
        config, machine, python="py", weights=weights, port=8000, environ={"PATH": "/bin"}
    )


def option(built: Launch, name: str) -> str:
    return built.argv[built.argv.index(name) + 1]


def test_the_server_module_is_started_with_the_given_interpreter() -> None:
    assert build().argv[:4] == ("py", "-P", "-m", "sglang.launch_server")


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--model-path", "org/model"),
        ("--served-model-name", "m"),
        ("--host", "127.0.0.1"),
        ("--port", "8000"),
        ("--dtype", "bfloat16"),
        ("--load-format", "auto"),
        ("--context-length", "32768"),
        ("--mem-fraction-static", "0.9"),
        ("--tp-size", "1"),
        ("--pp-size", "1"),
        ("--dp-size", "1"),
        ("--stream-interval", "8"),
    ],
)
def test_what_every_start_says(flag: str, value: str) -> None:
    assert option(build(), flag) == value


@pytest.mark.parametrize(
    ("key", "setting", "flag", "value"),
    [
        ("max_model_len", 65536, "--context-length", "65536"),
        ("gpu_memory_utilization", 0.8, "--mem-fraction-static", "0.8"),
        ("tensor_parallel_size", 4, "--tp-size", "4"),
        ("pipeline_parallel_size", 2, "--pp-size", "2"),
        ("data_parallel_size", 2, "--dp-size", "2"),
        ("quantization", "fp8", "--quantization", "fp8"),
        ("tool_parser", "qwen3_coder", "--tool-call-parser", "qwen3_coder"),
        ("reasoning_parser", "qwen3", "--reasoning-parser", "qwen3"),
    ],
)
def test_a_key_is_a_flag(key: str, setting: object, flag: str, value: str) -> None:
    assert option(build(8, "org/model", **{key: setting}), flag) == value


@pytest.mark.parametrize(
    "flag", ["--quantization", "--tool-call-parser", "--reasoning-parser", "--ep-size"]
)
def test_what_is_not_set_is_left_to_sglang(flag: str) -> None:
    assert flag not in build().argv


@pytest.mark.parametrize(
    ("key", "setting", "flag"),
    [
        ("prefix_caching", False, "--disable-radix-cache"),
        ("enforce_eager", True, "--disable-cuda-graph"),
    ],
)
def test_a_switch_is_a_flag_where_it_departs_from_the_default(
    key: str, setting: bool, flag: str
) -> None:
    assert (flag in build(8, "org/model", **{key: setting}).argv, flag in build().argv) == (
        True,
        False,
    )


@pytest.mark.parametrize("flag", ["--enable-metrics", "--enable-cache-report"])
def test_its_counters_are_switched_on(flag: str) -> None:
    assert flag in build().argv


def test_whole_experts_are_spread_over_the_same_gpus() -> None:
    assert option(build(tensor_parallel_size=4, expert_parallel=True), "--ep-size") == "4"


def test_without_a_gpu_it_is_refused() -> None:
    with pytest.raises(EngineError, match="on GPUs only"):
        build(gpus=0)


def test_vllms_notation_of_speculation_is_refused() -> None:
    with pytest.raises(ConfigError, match="flags of its own"):
        build(speculative={"method": "mtp", "num_speculative_tokens": 2})


def test_extra_arguments_come_last_so_that_they_win() -> None:
    assert build(extra_args=["--tp-size", "2"]).argv[-2:] == ("--tp-size", "2")


def test_a_local_folder_is_served_without_asking_the_hub(tmp_path: object) -> None:
    assert build(weights=str(tmp_path)).env["HF_HUB_OFFLINE"] == "1"


def test_it_gets_the_environment_as_it_is() -> None:
    assert build().env == {"PATH": "/bin"}

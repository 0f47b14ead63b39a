import json
from typing import Any

import pytest

from evalkit.config.engine import EngineConfig
from evalkit.serving.launch import Launch
from evalkit.serving.machine import Gpu, Machine
from evalkit.serving.vllm import launch, split_cores

TWO_CORES = Machine(gpus=(), cores=(0, 1), fast_bf16=True)
ONE_GPU = Machine(gpus=(Gpu("H100", 80),), cores=(0, 1), fast_bf16=False)


def build(machine: Machine = TWO_CORES, weights: str = "org/model", **keys: object) -> Launch:
    config = EngineConfig.model_validate({"model": "m", **keys})
    return launch(
        config, machine, python="py", weights=weights, port=8000, environ={"PATH": "/bin"}
    )


def option(built: Launch, name: str) -> str:
    return built.argv[built.argv.index(name) + 1]


def test_the_server_module_is_started_with_the_given_interpreter() -> None:
    assert build().argv[:4] == ("py", "-P", "-m", "vllm.entrypoints.openai.api_server")


def test_on_cpu_it_gives_way_to_the_sandboxes() -> None:
    assert build().niceness == 19


def test_on_gpus_it_does_not_give_way() -> None:
    assert build(ONE_GPU).niceness == 0


def test_on_cpu_a_step_stays_short() -> None:
    assert option(build(), "--max-num-batched-tokens") == "512"


def test_on_gpus_a_step_is_as_long_as_the_engine_likes() -> None:
    assert "--max-num-batched-tokens" not in build(ONE_GPU).argv


def test_on_cpu_every_token_comes_at_once() -> None:
    assert option(build(), "--stream-interval") == "1"


def test_on_gpus_tokens_come_eight_at_a_time() -> None:
    assert option(build(ONE_GPU), "--stream-interval") == "8"


def test_extra_arguments_come_last_and_so_win() -> None:
    extra = ("--max-num-batched-tokens", "64")
    assert build(extra_args=extra).argv[-2:] == extra


def test_the_dtype_is_bfloat16_also_on_cores_that_are_slow_in_it() -> None:
    slow = Machine(gpus=(), cores=(0, 1), fast_bf16=False)
    assert option(build(slow), "--dtype") == "bfloat16"


def test_automatic_dtype_is_the_weights_own() -> None:
    assert option(build(dtype="auto"), "--dtype") == "auto"


def test_automatic_dtype_is_float32_on_cores_that_are_slow_in_bfloat16() -> None:
    slow = Machine(gpus=(), cores=(0, 1), fast_bf16=False)
    assert option(build(slow, dtype="auto"), "--dtype") == "float32"


def test_automatic_dtype_on_gpus_has_nothing_to_do_with_the_cores() -> None:
    assert option(build(ONE_GPU, dtype="auto"), "--dtype") == "auto"


def test_weights_are_served_under_the_models_name() -> None:
    assert option(build(weights="org/model"), "--served-model-name") == "m"


def test_it_listens_on_loopback_only() -> None:
    assert option(build(), "--host") == "127.0.0.1"


def test_tensor_parallel_size_is_passed_on() -> None:
    assert option(build(tensor_parallel_size=2), "--tensor-parallel-size") == "2"


@pytest.mark.parametrize(
    ("keys", "name", "value"),
    [
        ({"pipeline_parallel_size": 2}, "--pipeline-parallel-size", "2"),
        ({"data_parallel_size": 3}, "--data-parallel-size", "3"),
        ({"quantization": "fp8"}, "--quantization", "fp8"),
        ({"reasoning_parser": "qwen3"}, "--reasoning-parser", "qwen3"),
        ({"load_format": "dummy"}, "--load-format", "dummy"),
        ({"max_model_len": 8192}, "--max-model-len", "8192"),
        ({"longest_that_fits": True}, "--max-model-len", "auto"),
    ],
)
def test_a_key_that_is_set_becomes_an_argument(keys: dict[str, Any], name: str, value: str) -> None:
    assert option(build(**keys), name) == value


@pytest.mark.parametrize(
    ("keys", "switch"),
    [
        ({"expert_parallel": True}, "--enable-expert-parallel"),
        ({"prefix_caching": True}, "--enable-prefix-caching"),
        ({"prefix_caching": False}, "--no-enable-prefix-caching"),
    ],
)
def test_a_switch_is_passed_on(keys: dict[str, Any], switch: str) -> None:
    assert switch in build(**keys).argv


@pytest.mark.parametrize(
    "name",
    [
        "--pipeline-parallel-size",
        "--data-parallel-size",
        "--enable-expert-parallel",
        "--quantization",
        "--reasoning-parser",
        "--enable-prefix-caching",
        "--no-enable-prefix-caching",
        "--speculative-config",
    ],
)
def test_a_key_that_is_not_set_is_left_to_vllm(name: str) -> None:
    assert name not in build().argv


def test_speculative_decoding_is_described_in_json() -> None:
    wanted = {"method": "mtp", "num_speculative_tokens": 2}
    assert json.loads(option(build(speculative=wanted), "--speculative-config")) == wanted


def test_the_share_of_memory_is_that_of_a_gpu() -> None:
    assert option(build(ONE_GPU, gpu_memory_utilization=0.85), "--gpu-memory-utilization") == "0.85"


def test_on_cpu_no_share_of_memory_is_asked_for() -> None:
    assert "--gpu-memory-utilization" not in build().argv


def test_cached_tokens_are_asked_for() -> None:
    assert "--enable-prompt-tokens-details" in build().argv


def test_a_tool_parser_switches_tool_choice_on() -> None:
    built = build(tool_parser="hermes")
    assert "--enable-auto-tool-choice" in built.argv
    assert option(built, "--tool-call-parser") == "hermes"


def test_without_a_parser_there_is_no_tool_choice() -> None:
    assert "--enable-auto-tool-choice" not in build().argv


def test_eager_execution_is_a_flag() -> None:
    assert "--enforce-eager" in build(enforce_eager=True).argv
    assert "--enforce-eager" not in build().argv


def test_extra_arguments_come_last_so_that_they_win() -> None:
    assert build(extra_args=["--seed", "7"]).argv[-2:] == ("--seed", "7")


def test_on_cpu_every_rank_gets_cores_of_its_own() -> None:
    assert build(tensor_parallel_size=2).env["VLLM_CPU_OMP_THREADS_BIND"] == "0|1"


def test_on_cpu_every_replica_gets_cores_too() -> None:
    assert build(data_parallel_size=2).env["VLLM_CPU_OMP_THREADS_BIND"] == "0|1"


def test_on_cpu_the_kv_cache_has_the_size_set() -> None:
    assert build(cpu_kv_cache_gib=3).env["VLLM_CPU_KVCACHE_SPACE"] == "3"


def test_with_gpus_no_cpu_settings_are_made() -> None:
    assert build(ONE_GPU).env == {"PATH": "/bin"}


def test_a_local_folder_is_served_without_asking_the_hub(tmp_path: object) -> None:
    assert build(weights=str(tmp_path)).env["HF_HUB_OFFLINE"] == "1"


@pytest.mark.parametrize(
    ("cores", "ranks", "shares"),
    [
        ((0, 1, 2, 3), 2, "0,1|2,3"),
        ((2, 5, 7), 2, "2|5"),
        ((0, 1, 2, 3), 1, "0,1,2,3"),
    ],
)
def test_cores_are_shared_evenly(cores: tuple[int, ...], ranks: int, shares: str) -> None:
    assert split_cores(cores, ranks) == shares

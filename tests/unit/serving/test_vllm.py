import pytest

from evalkit.config.engine import EngineConfig
from evalkit.errors import EngineError
from evalkit.serving.launch import Launch
from evalkit.serving.machine import Machine
from evalkit.serving.vllm import launch, split_cores

TWO_CORES = Machine(gpus=0, cores=(0, 1), fast_bf16=True)
ONE_GPU = Machine(gpus=1, cores=(0, 1), fast_bf16=False)


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


def test_extra_arguments_come_last_and_so_win() -> None:
    extra = ("--max-num-batched-tokens", "64")
    assert build(extra_args=extra).argv[-2:] == extra


def test_the_dtype_is_bfloat16_also_on_cores_that_are_slow_in_it() -> None:
    slow = Machine(gpus=0, cores=(0, 1), fast_bf16=False)
    assert option(build(slow), "--dtype") == "bfloat16"


def test_automatic_dtype_is_the_weights_own() -> None:
    assert option(build(dtype="auto"), "--dtype") == "auto"


def test_automatic_dtype_is_float32_on_cores_that_are_slow_in_bfloat16() -> None:
    slow = Machine(gpus=0, cores=(0, 1), fast_bf16=False)
    assert option(build(slow, dtype="auto"), "--dtype") == "float32"


def test_automatic_dtype_on_gpus_has_nothing_to_do_with_the_cores() -> None:
    assert option(build(ONE_GPU, dtype="auto"), "--dtype") == "auto"


def test_weights_are_served_under_the_models_name() -> None:
    assert option(build(weights="org/model"), "--served-model-name") == "m"


def test_it_listens_on_loopback_only() -> None:
    assert option(build(), "--host") == "127.0.0.1"


def test_tensor_parallel_size_is_passed_on() -> None:
    assert option(build(tensor_parallel_size=2), "--tensor-parallel-size") == "2"


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


def test_more_ranks_than_gpus_is_refused_with_the_sum() -> None:
    with pytest.raises(EngineError, match="needs 8 GPUs, this machine has 4"):
        build(Machine(gpus=4, cores=tuple(range(64)), fast_bf16=True), tensor_parallel_size=8)


def test_more_ranks_than_cores_is_refused_with_the_sum() -> None:
    with pytest.raises(EngineError, match=r"needs 4 CPU cores \(no GPU\), this machine has 2"):
        build(tensor_parallel_size=4)

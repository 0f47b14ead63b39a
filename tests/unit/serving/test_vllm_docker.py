import pytest

from evalkit.config.engine import EngineConfig
from evalkit.serving import vllm, vllm_docker
from evalkit.serving.launch import Launch
from evalkit.serving.machine import Gpu, Machine

ONE_GPU = Machine(gpus=(Gpu("H100", 80.0),), cores=(0, 1), fast_bf16=True)
NO_GPU = Machine(gpus=(), cores=(0, 1), fast_bf16=True)
HOME = {"HOME": "/home/me"}


def build(
    machine: Machine = ONE_GPU,
    weights: str = "org/model",
    environ: dict[str, str] = HOME,
    **keys: object,
) -> Launch:
    config = EngineConfig.model_validate({"kind": "vllm-docker", "model": "m", **keys})
    return vllm_docker.launch(
        config,
        machine,
        weights=weights,
        port=12345,
        environ=environ,
        labels={"evalkit.owner": "me"},
    )


def options(built: Launch, name: str) -> list[str]:
    return [value for at, value in enumerate(built.argv) if built.argv[at - 1] == name]


def test_the_images_python_runs_vllms_own_arguments_open_inside_the_container() -> None:
    config = EngineConfig(model="m", tool_parser="hermes")
    inner = vllm.launch(
        config, ONE_GPU, python="python3", weights="org/model", port=8000, environ={}
    )
    built = build(tool_parser="hermes").argv
    image = built.index("vllm/vllm-openai:latest")
    expected = ["0.0.0.0" if part == "127.0.0.1" else part for part in inner.argv[1:]]
    assert (built[image - 1], list(built[image + 1 :])) == ("python3", expected)


def test_it_is_reached_from_this_machine_alone() -> None:
    assert options(build(), "--publish") == ["127.0.0.1:12345:8000"]


def test_the_image_is_the_runners() -> None:
    assert "vllm/vllm-openai:v0.32.0" in build(image="vllm/vllm-openai:v0.32.0").argv


def test_it_gets_the_gpus_there_are() -> None:
    assert options(build(), "--gpus") == ["all"]


def test_without_gpus_it_asks_for_none() -> None:
    assert "--gpus" not in build(NO_GPU).argv


def test_it_says_whose_it_is() -> None:
    assert options(build(), "--label") == ["evalkit.owner=me"]


def test_it_is_removed_by_name_once_its_client_is_gone() -> None:
    built = build()
    assert built.after == ("docker", "rm", "--force", *options(built, "--name"))


def test_no_two_have_the_same_name() -> None:
    assert options(build(), "--name") != options(build(), "--name")


def test_local_weights_are_mounted_where_they_lie_and_cannot_be_changed(tmp_path: object) -> None:
    assert options(build(weights=str(tmp_path)), "--volume") == [f"{tmp_path}:{tmp_path}:ro"]


@pytest.mark.parametrize(
    ("environ", "cache"),
    [
        (HOME, "/home/me/.cache/huggingface"),
        (HOME | {"XDG_CACHE_HOME": "/big"}, "/big/huggingface"),
        (HOME | {"HF_HOME": "/models"}, "/models"),
    ],
)
def test_weights_of_the_hub_stay_in_this_machines_cache(
    environ: dict[str, str], cache: str
) -> None:
    assert options(build(environ=environ), "--volume") == [f"{cache}:/hub"]


def test_a_token_is_passed_on_without_standing_in_the_command_line() -> None:
    built = build(environ=HOME | {"HF_TOKEN": "secret"})
    assert "HF_TOKEN" in options(built, "--env")
    assert not [part for part in built.argv if "secret" in part]


def test_of_this_machines_environment_only_what_concerns_the_engine_is_passed_on() -> None:
    built = build(environ=HOME | {"EVALKIT_API_KEY": "k", "VLLM_LOGGING_LEVEL": "DEBUG"})
    assert options(built, "--env") == ["HF_HOME=/hub", "VLLM_LOGGING_LEVEL"]

from pathlib import Path

import pytest

from evalkit.config.content import content_names
from evalkit.config.runner import Runner, load_runner
from evalkit.errors import ConfigError


@pytest.fixture
def profile(tmp_path: Path) -> str:
    path = tmp_path / "demo.yaml"
    path.write_text("label: demo\nengine: {model: demo/model}\n", encoding="utf-8")
    return str(path)


def _refused(name: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_runner(name, [])
    return caught.value


@pytest.mark.parametrize("name", content_names("runners"))
def test_a_runner_that_ships_is_valid(name: str) -> None:
    assert load_runner(name, []).label


@pytest.mark.parametrize("name", content_names("runners"))
def test_a_misspelt_runner_suggests_the_nearest(name: str) -> None:
    assert f"did you mean {name!r}" in _refused(f"{name}x").message


def test_an_unknown_runner_ends_with_2() -> None:
    assert _refused("zzzz").exit_code == 2


def test_a_runner_of_ones_own_is_loaded_by_its_path(profile: str) -> None:
    assert load_runner(profile, []).engine.model == "demo/model"


def test_an_override_is_validated_like_the_file(profile: str) -> None:
    with pytest.raises(ConfigError, match=r"sampling.temperature"):
        load_runner(profile, ["sampling.temperature=-1"])


def test_a_runner_comes_back_from_json_equal(profile: str) -> None:
    runner = load_runner(profile, ["sampling.top_p=0.9", "engine.extra_args=[--seed, '1']"])
    assert Runner.model_validate_json(runner.model_dump_json()) == runner


def test_docker_model_runner_is_an_endpoint_of_this_machine() -> None:
    engine = load_runner("docker-model-runner", []).engine
    assert (engine.kind, engine.url) == ("endpoint", "http://localhost:12434/engines/v1")

"""What a run would take, worked out before it starts."""

from typing import Any

import pytest

from evalkit.cli.estimate import Line, Planned, plan_lines
from evalkit.cli.plan import read_gpus
from evalkit.config.runner import load_runner
from evalkit.errors import ConfigError
from tests.doubles.tasks import make_task

PULLED = tuple(
    make_task(id=f"task-{number}", image=f"someone/images:{number}") for number in range(100)
)


def lines(runner: str = "qwen3-coder-next", *overrides: str, **changes: Any) -> dict[str, Line]:
    """The plan by its headings; of 100 tasks of SWE-bench Pro unless `changes` say otherwise."""
    fields = {
        "suite": "swebench-pro",
        "tasks": PULLED,
        "attempts": 1,
        "runner": load_runner(runner, list(overrides)),
    }
    return {line.what: line for line in plan_lines(Planned.model_validate(fields | changes))}


def test_a_speed_is_that_of_the_runners_model() -> None:
    assert "4x H100" in lines()["engine hours"].basis


def test_a_model_nobody_timed_has_no_speed() -> None:
    assert lines("quickstart")["engine hours"].figure == "unknown"


def test_images_that_are_here_are_not_pulled() -> None:
    assert lines(here=40)["to pull"].figure == "60 images, 60 to 180 GB"


def test_without_docker_what_is_here_is_unknown() -> None:
    assert lines()["images"][1:3] == ("100, of them here: unknown", "unknown: no Docker answers")


def test_the_size_of_images_names_its_source() -> None:
    assert "Docker Hub" in lines()["to pull"].source


def test_images_given_back_need_room_only_for_those_at_work() -> None:
    few = ("concurrency.rollouts=4", "concurrency.gradings=2", "images.pulls=1")
    assert lines("qwen3-coder-next", *few)["disk, keep=false"].figure == "7 to 21 GB"


def test_a_suite_of_our_own_pulls_no_image_of_a_task() -> None:
    assert lines(suite="quickstart", tasks=(make_task(),))["to pull"].figure == "none"


def test_a_suite_nobody_measured_has_no_size() -> None:
    assert "unknown" in lines(suite="another")["to pull"].basis


def test_turns_are_the_published_ones() -> None:
    turns = lines()["turns a rollout"]
    assert (turns.figure, turns.source[:16]) == ("153", "Qwen blog figure")


def test_tokens_are_those_of_the_published_rollouts_for_as_many_turns() -> None:
    # 100 rollouts of 153 turns, of 7,000 / 78 to 18,000 / 65 tokens each
    assert lines()["output tokens"].figure == "1.37 million to 4.24 million"


def test_every_attempt_counts() -> None:
    assert lines(attempts=3)["output tokens"].figure == "4.12 million to 12.7 million"


def test_without_published_turns_limits_are_called_an_upper_bound() -> None:
    tokens = lines("quickstart")["output tokens"]
    assert (tokens.figure, tokens.basis) == ("at most 32,000", "upper bound: limits")


def test_a_published_speed_names_its_machine_and_source() -> None:
    engine = lines()["engine hours"]
    assert ("4x H100" in engine.basis, "lambda.ai" in engine.source) == (True, True)


def test_a_speed_given_is_an_assumption() -> None:
    # 1.37 to 4.24 million tokens at 1,000 a second
    engine = lines(tok_s=1000)["engine hours"]
    assert engine[1:] == ("0.38 to 1.2", "1000 output tokens/s: assumed: --tok-s", "")


def test_without_a_speed_the_hours_are_unknown() -> None:
    assert lines("quickstart")["engine hours"].figure == "unknown"


def test_the_time_limits_bound_the_hours() -> None:
    # 100 rollouts, 32 at once, are 4 rounds of 4 hours
    assert lines()["hours"].figure == "at most 16"


def test_gpu_hours_cost_what_the_runner_says() -> None:
    priced = lines("qwen3-coder-next", "price_per_gpu_hour=2", gpus=(8, 80.0), tok_s=1000)
    assert priced["cost"].figure == "6.1 to 19"


def test_without_a_price_there_is_no_cost() -> None:
    assert "cost" not in lines(gpus=(8, 80.0))


@pytest.mark.parametrize(
    ("gpus", "told"),
    [
        ((8, 80.0), "fit: 35 GiB a GPU left"),
        ((4, 40.0), "do not fit"),
        ((2, 192.0), "do not fit: TP 4 takes 4 GPUs"),
    ],
)
def test_weights_fit_or_not(gpus: tuple[int, float], told: str) -> None:
    assert lines(gpus=gpus)[f"weights on {gpus[0]}x{gpus[1]:g}"].figure == told


def test_an_endpoint_holds_its_weights_itself() -> None:
    assert "weights" not in lines("qwen3-coder-next", "engine.kind=endpoint")


def test_every_figure_says_how_it_is_known() -> None:
    known = ("measured", "published", "assumed", "upper bound", "unknown", "the same")
    plan = lines(gpus=(8, 80.0))
    bases = {line.what: line.basis for what, line in plan.items() if what not in COUNTED}
    assert {
        what for what, basis in bases.items() if not any(word in basis for word in known)
    } == set()


COUNTED = {"rollouts", "model"}


def test_gpus_are_how_many_and_how_large() -> None:
    assert read_gpus("8x141.5") == (8, 141.5)


@pytest.mark.parametrize("text", ["8", "8x", "x80", "0x80", "8x0", "8*80", "-1x80", "8x80x2", ""])
def test_gpus_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--gpus wants"):
        read_gpus(text)

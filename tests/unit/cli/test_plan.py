"""What a run would take, worked out before it starts."""

import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.cli.estimate import Line, Planned, Speed, plan_lines
from evalkit.cli.plan import read_gpus, read_speed
from evalkit.cli.plan_memory import memory_lines
from evalkit.config.runner import load_runner
from evalkit.errors import ConfigError
from tests.doubles.tasks import make_task

PULLED = tuple(
    make_task(id=f"task-{number}", image=f"someone/images:{number}") for number in range(100)
)

SAID = Speed(1000, "assumed: --tok-s")


def lines(runner: str = "qwen3-coder-next", *overrides: str, **changes: Any) -> dict[str, Line]:
    """The plan by its headings; of 100 tasks of SWE-bench Pro unless `changes` say otherwise."""
    fields = {
        "suite": "swebench-pro",
        "tasks": PULLED,
        "attempts": 1,
        "runner": load_runner(runner, list(overrides)),
    }
    planned = Planned.model_validate(fields | changes)
    return {line.what: line for line in [*plan_lines(planned), *memory_lines(planned)]}


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
    engine = lines(speed=SAID)["engine hours"]
    assert engine[1:] == ("0.38 to 1.2", "1000 output tokens/s: assumed: --tok-s", "")


def test_without_a_speed_the_hours_are_unknown() -> None:
    assert lines("quickstart")["engine hours"].figure == "unknown"


def test_the_time_limits_bound_the_hours() -> None:
    # 100 rollouts, 32 at once, are 4 rounds of 4 hours
    assert lines()["hours"].figure == "at most 16"


def test_gpu_hours_cost_what_the_runner_says() -> None:
    priced = lines("qwen3-coder-next", "price_per_gpu_hour=2", gpus=(8, 80.0), speed=SAID)
    assert priced["cost"].figure == "6.1 to 19"


def test_without_a_price_there_is_no_cost() -> None:
    assert "cost" not in lines(gpus=(8, 80.0))


@pytest.mark.parametrize(
    ("gpus", "told"),
    [
        ((8, 80.0), "fits"),
        ((4, 40.0), "does not fit"),
        ((4, 45.0), "fits"),
        ((4, 43.0), "fits with a shorter context"),
        ((2, 192.0), "does not fit"),
    ],
)
def test_a_model_fits_or_not(gpus: tuple[int, float], told: str) -> None:
    assert lines(gpus=gpus)[f"on {gpus[0]}x{gpus[1]:g}"].figure == told


def test_what_does_not_fit_says_why_and_the_way_out() -> None:
    basis = lines(gpus=(2, 192.0))["on 2x192"].basis
    assert basis == (
        "assumed: tensor_parallel_size 4 needs 4 GPUs, this machine has 2; "
        "--set engine.tensor_parallel_size=auto takes as many as there are"
    )


def test_automatic_tensor_parallelism_is_resolved() -> None:
    auto = lines("qwen3-coder-next", "engine.tensor_parallel_size=auto", gpus=(8, 80.0))
    assert auto["on 8x80"].basis == "assumed: TP 8 (auto), PP 1, DP 1; 0 idle"


def test_one_sequence_is_that_of_the_models_shape() -> None:
    # 2 x 12 layers x 2 heads x 256 x 2 bytes x 262,144 tokens
    assert lines()["one sequence"].figure == "6.0 GiB of KV cache"


def test_what_weights_leave_holds_so_many_tokens() -> None:
    # 72 - 37.2529 GiB on each, at 12 KiB a token: 1 of 2 KV heads
    assert lines(gpus=(8, 80.0))["KV cache"].figure == "3,036,247 tokens, 11.6 full sequences"


def test_replicas_hold_more_and_share_the_experts() -> None:
    # 2 x (72 - 18.6265) GiB at 12 KiB a token
    twice = lines("qwen3-coder-next", "engine.data_parallel_size=2", gpus=(8, 80.0))
    assert twice["KV cache"].figure.endswith("35.6 full sequences")


def test_without_a_shape_one_sequence_is_unknown() -> None:
    assert lines("quickstart")["one sequence"].figure == "unknown"


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


def test_a_speed_can_come_from_a_run(tmp_path: Path) -> None:
    # 2 requests of 50 tokens each, 10 seconds from the first to the last token
    folder = tmp_path / "tasks" / "leap-years" / "1"
    folder.mkdir(parents=True)
    turns = [
        {"kind": "turn", "t0": start, "t1": start + 5, "usage": {"completion_tokens": 50}}
        for start in (100.0, 105.0)
    ]
    (folder / "trajectory.jsonl").write_text("".join(json.dumps(turn) + "\n" for turn in turns))
    manifest = {"selected": ["leap-years"], "attempts": 1, "model": "Small", "suite": "quickstart"}
    (tmp_path / "run.json").write_text(json.dumps(manifest))
    source = f"output_tok_s of {tmp_path}: Small on quickstart, 2 requests"
    assert read_speed(None, tmp_path) == Speed(10, "measured", source)


def test_a_run_without_a_request_has_no_speed(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"selected": ["leap-years"], "attempts": 1}')
    with pytest.raises(ConfigError, match="has no request to measure"):
        read_speed(None, tmp_path)


def test_a_speed_has_one_origin(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not both"):
        read_speed(25, tmp_path)

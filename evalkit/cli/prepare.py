"""`evalkit prepare`: images and weights, ahead of a run."""

from collections.abc import Sequence
from pathlib import Path

from evalkit.cli.wiring import cache_folder, choose_runner, choose_suite, say
from evalkit.config.engine import EngineConfig
from evalkit.protocols import Suite
from evalkit.serving.interpreter import engine_python
from evalkit.serving.weights import ensure_weights
from evalkit.types import Task


def prepare_command(suite_name: str, runner_name: str | None, overrides: list[str]) -> None:
    """Make sure of every image of the suite and of the runner's weights."""
    suite = choose_suite(suite_name, overrides)
    runner = choose_runner(suite, runner_name, overrides)
    prepare_images(suite, suite.tasks())
    weights = prepare_weights(runner.engine)
    if weights is not None:
        say(f"weights: {runner.engine.model} is in {weights}")


def prepare_images(suite: Suite, tasks: Sequence[Task]) -> None:
    """Make sure of each task's image, telling of those that are made."""
    for task in tasks:
        suite.prepare(task)
    say(f"images: {len(tasks)} of {suite.name} are here")


def prepare_weights(engine: EngineConfig) -> Path | None:
    """Fetch and convert the weights a runner names a file for; None: the engine fetches them."""
    if engine.kind != "vllm" or engine.gguf is None:
        return None
    cache = cache_folder()
    python = engine_python(engine.python, cache)
    return ensure_weights(engine.gguf, engine.model, cache, python, say)

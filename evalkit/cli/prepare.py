"""`evalkit prepare`: images and weights, ahead of a run."""

from evalkit.cli.wiring import cache_folder, choose_runner, choose_suite, say
from evalkit.config.runner import EngineConfig
from evalkit.serving.interpreter import engine_python
from evalkit.serving.weights import ensure_weights


def prepare_command(suite_name: str, runner_name: str | None, overrides: list[str]) -> None:
    """Make sure of every image of the suite and of the runner's weights."""
    suite = choose_suite(suite_name)
    runner = choose_runner(suite, runner_name, overrides)
    for task in suite.tasks():
        suite.prepare(task)
    say(f"images: {len(suite.tasks())} ready")
    prepare_weights(runner.engine)


def prepare_weights(engine: EngineConfig) -> None:
    """Fetch and convert the weights a runner names a file for; others the engine fetches."""
    if engine.kind == "vllm" and engine.gguf is not None:
        cache = cache_folder()
        python = engine_python(engine.python, cache)
        folder = ensure_weights(engine.gguf, engine.model, cache, python, say)
        say(f"weights: {engine.model} ready in {folder}")

"""`evalkit grade`: patches from anywhere, without an engine."""

import json
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Literal

import typer
from pydantic import JsonValue

from evalkit.agents.predictions import Predictions, predictions_agent, read_predictions
from evalkit.cli.execute import carry_out, new_id
from evalkit.cli.results import show_results
from evalkit.cli.resume import resume_command, run_folder
from evalkit.cli.select import Selection, excluded, select
from evalkit.cli.settled import Run
from evalkit.cli.wiring import choose_runner, choose_suite, say
from evalkit.config.runner import Runner
from evalkit.errors import ConfigError
from evalkit.reporting.load import load_run
from evalkit.reporting.summary import summarise
from evalkit.types import Record, Task


class GradeRequest(Record):
    """The flags of `evalkit grade`."""

    suite: str
    predictions: Path
    output: Path | None
    gradings: int | None
    selection: Selection
    repair_newline: bool
    overrides: tuple[str, ...]
    form: Literal["table", "json"]
    resume: bool = False


def grade_command(request: GradeRequest) -> int:
    """Grade, and return the exit code."""
    suite = choose_suite(request.suite, request.overrides)
    chosen = select(suite.tasks(), request.selection)
    predictions = read_predictions(request.predictions, {task.id for task in suite.tasks()})
    for problem in predictions.problems:
        say(f"{request.predictions}: {problem}")
    predicted = {task_id for task_id, _ in predictions.patches}
    tasks = longest_first(task for task in chosen if task.id in predicted)
    if not tasks:
        raise ConfigError(f"{request.predictions} has no prediction for the selected tasks")
    say(f"grading {len(tasks)} of the {len(suite.tasks())} tasks of {suite.name}")
    ids = {task.id for task in tasks}
    run_id = new_id(suite.name, "grade")
    folder = run_folder(request.output, run_id, resume=request.resume)
    run = Run(
        id=run_id,
        folder=folder,
        command=resume_command(folder),
        suite=suite,
        runner=graders(choose_runner(suite, None, request.overrides), request.gradings),
        agent="predictions",
        model=predictions.model or request.predictions.name,
        tasks=tasks,
        attempts=max(attempt for task_id, attempt in predictions.patches if task_id in ids),
        excluded=excluded(suite.tasks(), request.selection),
        repair_newline=request.repair_newline,
        facts={"predictions": _origin(request.predictions, predictions)},
        resume=request.resume,
    )
    agent = predictions_agent(predictions.patches)
    return carry_out(
        run,
        lambda *_: nullcontext(agent),
        show=show_results if request.form == "table" else show_json,
    )


def graders(runner: Runner, count: int | None) -> Runner:
    """Set how many attempts are under way at once: as many as are graded, for no model is asked."""
    side_by_side = count or runner.concurrency.gradings
    concurrency = runner.concurrency.model_copy(
        update={"rollouts": side_by_side, "gradings": side_by_side}
    )
    return runner.model_copy(update={"concurrency": concurrency})


def longest_first(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """Begin with what may take longest, so that nothing long is left to run alone at the end.

    All that is known beforehand of a task's time is how many tests must pass.
    """
    return tuple(sorted(tasks, key=_tests, reverse=True))


def _tests(task: Task) -> int:
    return len(task.fail_to_pass) + len(task.pass_to_pass)


def show_json(folder: Path) -> None:
    """Print a run's summary and its results as one JSON object."""
    run = load_run(folder)
    shown = {
        "folder": str(folder),
        "summary": summarise(run).model_dump(mode="json"),
        "results": [result.model_dump(mode="json") for result in run.results],
    }
    typer.echo(json.dumps(shown, indent=2))


def _origin(path: Path, predictions: Predictions) -> dict[str, JsonValue]:
    return {
        "file": path.name,
        "sha256": predictions.sha256,
        "problems": len(predictions.problems),
    }

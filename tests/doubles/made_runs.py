"""Runs as charts take them, made up: no folder lies under them."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalkit.reporting.frames import Frames
from evalkit.reporting.run import Run, Turn
from evalkit.types import EngineSample, Incarnation, Outcome, Result
from tests.doubles.tasks import make_result

LONG = "some-organisation/A-Long-Model-Name-480B-A35B-Instruct-FP8"
REPOS = (
    ("internetarchive/openlibrary", "python"),
    ("flipt-io/flipt", "go"),
    ("element-hq/element-web", "js"),
    ("future-architect/vuls", "go"),
)
COMMON = {Outcome.RESOLVED: 44, Outcome.UNRESOLVED: 40, Outcome.NO_PATCH: 8, Outcome.INFRA_ERROR: 8}


def made(
    results: Sequence[Result],
    *,
    selected: Sequence[str] = (),
    attempts: int = 1,
    samples: Sequence[EngineSample] = (),
    name: str = "run",
    **manifest: Any,
) -> Frames:
    """A run of these results; its engine was up for an hour, on two GPUs."""
    about = {"suite": "quickstart", "revision": "0123456789abcdef", "model": "Demo-1B"}
    return Frames(
        Run(
            path=Path(name),
            manifest=about | manifest,
            selected=tuple(selected) or tuple(dict.fromkeys(one.task_id for one in results)),
            attempts=attempts,
            results=tuple(results),
            samples=tuple(samples),
            requests=(Turn(start=0, end=3000, completion_tokens=9),),
            gpus=2,
            incarnations=(Incarnation(number=1, started=0, ended=3600, max_model_len=4096),),
        )
    )


def of_size(tasks: int, outcomes: dict[Outcome, int] = COMMON, **manifest: Any) -> Frames:
    """A run of so many tasks, one unfinished where there are several; the same at every call."""
    dice = random.Random(7)
    results = []
    for number in range(tasks):
        repo, language = REPOS[number % len(REPOS)]
        turns = dice.randint(5, 300)
        results.append(
            make_result(
                task_id=f"task-{number}",
                repo=repo,
                language=language,
                outcome=dice.choices(list(outcomes), list(outcomes.values()))[0],
                turns=turns,
                completion_tokens=turns * dice.randint(50, 300),
                queue_s=dice.uniform(0, 60),
                llm_s=turns * 6.0,
                wall_s=turns * 8.0,
                grade_s=dice.uniform(10, 300),
            )
        )
    samples = [
        EngineSample(t=2.0 * n, generation_tokens=40 * n * (1 + n // 50), running=1 + n // 50)
        for n in range(min(500, 20 * tasks))
    ]
    return made(
        results[: max(1, tasks - 1)],
        selected=[one.task_id for one in results],
        samples=samples,
        runner={"price_per_gpu_hour": 2.5, "total_params_b": 80, "active_params_b": 3},
        **manifest,
    )

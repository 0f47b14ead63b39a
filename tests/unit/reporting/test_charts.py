import math
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch

from evalkit.errors import StoreError
from evalkit.reporting.charts import outcomes, tokens_per_second, write_charts
from evalkit.reporting.frames import Frames
from evalkit.reporting.run import Run, Turn
from evalkit.reporting.style import OUTCOME_FILLS, UNFINISHED_FILL
from evalkit.types import EngineSample, Flag, Incarnation, Outcome
from tests.doubles.drawn import misplaced, words
from tests.doubles.tasks import make_result

MANIFEST = {
    "suite": "quickstart",
    "revision": "0123456789abcdef",
    "model": "some-organisation/A-Long-Model-Name-480B-A35B-Instruct-FP8",
    "engine": {"version": "0.32.0"},
}


def _run(tasks: int, attempts: int = 1, *, weights: tuple[int, ...], sampled: bool = False) -> Run:
    """A run with outcomes drawn by weight and a request every ten seconds."""
    dice = random.Random(7)
    names = [f"repository-{number % 9}-issue-{number:04d}" for number in range(tasks)]
    results = [
        make_result(
            task_id=name,
            attempt=attempt,
            outcome=dice.choices(list(Outcome), weights)[0],
            flags=(Flag.EDITED_TESTS,) if dice.random() < 0.1 else (),
        )
        for name in names
        for attempt in range(1, attempts + 1)
    ]
    requests = [Turn(start=10 * n, end=10 * n + 15, completion_tokens=200) for n in range(tasks)]
    samples = [EngineSample(t=2 * n, generation_tokens=40 * n, running=2) for n in range(5 * tasks)]
    return Run(
        path=Path(),
        manifest=MANIFEST,
        selected=tuple(names),
        attempts=attempts,
        results=tuple(results[: -max(1, tasks // 20)]),
        samples=tuple(samples) if sampled else (),
        requests=tuple(requests),
    )


SMALL = _run(4, weights=(2, 2, 0, 0, 0, 0, 0))
EVERYTHING = _run(24, 3, weights=(3, 4, 1, 1, 1, 1, 1))
LARGE = _run(731, weights=(44, 40, 4, 3, 3, 2, 2), sampled=True)
RESTARTED = SMALL.model_copy(
    update={
        "samples": tuple(
            EngineSample(
                t=t,
                generation_tokens=9 * (t if t < 60 else t - 69),
                running=3,
                kv_usage=0.4,
                incarnation=1 + t // 60,
            )
            for t in range(0, 120, 2)
            if not 40 < t < 70
        ),
        "incarnations": tuple(
            Incarnation(number=number, started=started, ended=ended, max_model_len=4096)
            for number, started, ended in ((1, -5, 41), (2, 69, 120))
        ),
        "gpus": 8,
    }
)
"""Sampled every 2 s; the engine was away between 40 s and 69 s."""
RUNS = pytest.mark.parametrize(
    "run", [SMALL, EVERYTHING, LARGE, RESTARTED], ids=["small", "every", "large", "restarted"]
)
CHARTS = pytest.mark.parametrize("chart", [outcomes, tokens_per_second])


@RUNS
@CHARTS
def test_no_text_lies_on_another_or_leaves_the_page(
    run: Run, chart: Callable[[Frames], Figure]
) -> None:
    assert misplaced(chart(Frames(run))) == []


def test_the_title_states_the_score() -> None:
    run = _run(20, weights=(1, 0, 0, 0, 0, 0, 0))
    expected = "19 of 20 tasks resolved: 95.0% (95% interval 76.4% to 99.1%)"
    assert expected in words(outcomes(Frames(run)))


@CHARTS
@pytest.mark.parametrize(
    "fact",
    [
        "suite quickstart",
        "revision 0123456789ab",
        "4 tasks",
        "1 attempt each",
        "model some-organisation/A-Long-Model-Name-480B-A35B-Instruct-FP8",
        "engine vLLM 0.32.0",
    ],
)
def test_the_caption_says_what_was_run(chart: Callable[[Frames], Figure], fact: str) -> None:
    assert fact in words(chart(Frames(SMALL)))


def test_a_small_run_names_its_tasks() -> None:
    told = words(outcomes(Frames(SMALL)))
    assert [name for name in SMALL.selected if name not in told] == []


def test_a_large_run_names_some_tasks_and_counts_the_rest() -> None:
    assert " more" in words(outcomes(Frames(LARGE)))


def test_scores_without_infra_errors_and_doubtful_attempts_are_told() -> None:
    told = words(outcomes(Frames(EVERYTHING)))
    assert ("infra errors:" in told, "doubtful attempts:" in told) == (True, True)


def test_attempts_are_counted_by_flag() -> None:
    count = sum(Flag.EDITED_TESTS in one.flags for one in EVERYTHING.results)
    assert f"Attempts by flag: {count} edited tests" in words(outcomes(Frames(EVERYTHING)))


def test_every_outcome_has_a_bar_as_long_as_its_count() -> None:
    figure = outcomes(Frames(EVERYTHING))
    (axes,) = figure.axes
    bars = [patch.get_width() for patch in axes.patches if isinstance(patch, Rectangle)]
    counts = [sum(one.outcome is kind for one in EVERYTHING.results) for kind in OUTCOME_FILLS]
    assert bars == [count for count in [*counts, 1] if count]


def test_bars_can_be_told_apart_without_colour() -> None:
    hatches = [fill.hatch for fill in [*OUTCOME_FILLS.values(), UNFINISHED_FILL]]
    assert len(set(hatches)) == len(Outcome) + 1


def test_both_speeds_are_named() -> None:
    told = words(tokens_per_second(Frames(SMALL)))
    assert ("busy_tok_s" in told, "output_tok_s" in told) == (True, True)


@pytest.mark.parametrize(("run", "source"), [(SMALL, "from the turns"), (LARGE, "own counters")])
def test_the_chart_says_where_its_figures_come_from(run: Run, source: str) -> None:
    assert source in words(tokens_per_second(Frames(run)))


def test_speed_over_the_engines_time_is_named_where_that_is_known() -> None:
    told = words(tokens_per_second(Frames(RESTARTED)))
    assert re.search(r"engine_tok_s 8\.2: over the time an engine was up, 1\.0 for each GPU", told)


def test_time_without_an_engine_is_blank() -> None:
    figure = tokens_per_second(Frames(RESTARTED))
    assert figure is not None
    drawn = [patch for patch in figure.axes[0].patches if isinstance(patch, StepPatch)]
    values, *_ = drawn[0].get_data()
    assert [math.isnan(values[at // 2]) for at in (38, 42, 66, 68)] == [False, True, True, False]


def test_the_use_of_the_kv_cache_is_drawn_where_the_engine_tells_it() -> None:
    told = [words(tokens_per_second(Frames(run))) for run in (RESTARTED, LARGE)]
    assert ["KV cache" in one for one in told] == [True, False]


def test_a_restart_is_marked() -> None:
    assert "the engine was up again" in words(tokens_per_second(Frames(RESTARTED)))


def test_charts_are_written_as_png_and_svg(tmp_path: Path) -> None:
    heads = {
        path.suffix: path.read_bytes()[:5] for path in write_charts(SMALL, tmp_path / "report")
    }
    assert heads == {".png": b"\x89PNG\r", ".svg": b"<?xml"}


def test_a_run_without_requests_has_no_chart_of_speed(tmp_path: Path) -> None:
    quiet = SMALL.model_copy(update={"requests": ()})
    names = {path.stem for path in write_charts(quiet, tmp_path)}
    assert ("outcomes" in names, "tokens_per_second" in names) == (True, False)


def test_a_run_of_swebench_pro_gets_the_published_figures(tmp_path: Path) -> None:
    pro = SMALL.model_copy(update={"manifest": MANIFEST | {"suite": "swebench-pro"}})
    found = [{path.stem for path in write_charts(run, tmp_path)} for run in (SMALL, pro)]
    assert found[1] - found[0] == {
        "score_against_size",
        "score_against_turns",
        "benchmarks",
        "published_sets",
    }


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file")
    with pytest.raises(StoreError, match="cannot write charts to"):
        write_charts(SMALL, tmp_path / "report")

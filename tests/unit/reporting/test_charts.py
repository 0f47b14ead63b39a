import math
import random
import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.text import Text

from evalkit.errors import StoreError
from evalkit.reporting.charts import outcomes, tokens_per_second, write_charts
from evalkit.reporting.run import Run, Turn
from evalkit.reporting.style import OUTCOME_FILLS, UNFINISHED_FILL
from evalkit.types import EngineSample, Flag, Incarnation, Outcome
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


def _texts(figure: Figure) -> list[Text]:
    """The texts that are drawn: not the labels of ticks beyond an axis's ends."""
    texts = [*figure.texts]
    for axes in figure.axes:
        texts += [*axes.texts, axes.xaxis.label, axes.yaxis.label]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            texts += [
                tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high
            ]
    return [text for text in texts if text.get_text() and text.get_visible()]


def _words(figure: Figure | None) -> str:
    assert figure is not None
    return " ".join(text.get_text() for text in _texts(figure)).replace("\u00a0", " ")


@RUNS
@CHARTS
def test_no_text_lies_on_another_or_leaves_the_page(
    run: Run, chart: Callable[[Run], Figure]
) -> None:
    figure = chart(run)
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in _texts(figure)]
    page = figure.bbox.padded(1)
    outside = [
        words for words, box in boxes if not (page.contains(*box.min) and page.contains(*box.max))
    ]
    over = [(a, b) for (a, one), (b, other) in combinations(boxes, 2) if one.overlaps(other)]
    assert (outside, over) == ([], [])


def test_the_title_states_the_score() -> None:
    run = _run(20, weights=(1, 0, 0, 0, 0, 0, 0))
    expected = "19 of 20 tasks resolved: 95.0% (95% interval 76.4% to 99.1%)"
    assert expected in _words(outcomes(run))


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
def test_the_caption_says_what_was_run(chart: Callable[[Run], Figure], fact: str) -> None:
    assert fact in _words(chart(SMALL))


def test_a_small_run_names_its_tasks() -> None:
    words = _words(outcomes(SMALL))
    assert [name for name in SMALL.selected if name not in words] == []


def test_a_large_run_names_some_tasks_and_counts_the_rest() -> None:
    assert " more" in _words(outcomes(LARGE))


def test_scores_without_infra_errors_and_doubtful_attempts_are_told() -> None:
    words = _words(outcomes(EVERYTHING))
    assert ("infra errors:" in words, "doubtful attempts:" in words) == (True, True)


def test_attempts_are_counted_by_flag() -> None:
    count = sum(Flag.EDITED_TESTS in one.flags for one in EVERYTHING.results)
    assert f"Attempts by flag: {count} edited tests" in _words(outcomes(EVERYTHING))


def test_every_outcome_has_a_bar_as_long_as_its_count() -> None:
    figure = outcomes(EVERYTHING)
    (axes,) = figure.axes
    bars = [patch.get_width() for patch in axes.patches if isinstance(patch, Rectangle)]
    counts = [sum(one.outcome is kind for one in EVERYTHING.results) for kind in OUTCOME_FILLS]
    assert bars == [count for count in [*counts, 1] if count]


def test_bars_can_be_told_apart_without_colour() -> None:
    hatches = [fill.hatch for fill in [*OUTCOME_FILLS.values(), UNFINISHED_FILL]]
    assert len(set(hatches)) == len(Outcome) + 1


def test_both_speeds_are_named() -> None:
    words = _words(tokens_per_second(SMALL))
    assert ("busy_tok_s" in words, "output_tok_s" in words) == (True, True)


@pytest.mark.parametrize(("run", "source"), [(SMALL, "from the turns"), (LARGE, "own counters")])
def test_the_chart_says_where_its_figures_come_from(run: Run, source: str) -> None:
    assert source in _words(tokens_per_second(run))


def test_speed_over_the_engines_time_is_named_where_that_is_known() -> None:
    words = _words(tokens_per_second(RESTARTED))
    assert re.search(r"engine_tok_s 8\.2: over the time an engine was up, 1\.0 for each GPU", words)


def test_time_without_an_engine_is_blank() -> None:
    figure = tokens_per_second(RESTARTED)
    assert figure is not None
    drawn = [patch for patch in figure.axes[0].patches if isinstance(patch, StepPatch)]
    values, *_ = drawn[0].get_data()
    assert [math.isnan(values[at // 2]) for at in (38, 42, 66, 68)] == [False, True, True, False]


def test_the_use_of_the_kv_cache_is_drawn_where_the_engine_tells_it() -> None:
    words = [_words(tokens_per_second(run)) for run in (RESTARTED, LARGE)]
    assert ["KV cache" in one for one in words] == [True, False]


def test_a_restart_is_marked() -> None:
    assert "the engine was up again" in _words(tokens_per_second(RESTARTED))


def test_charts_are_written_as_png(tmp_path: Path) -> None:
    heads = [path.read_bytes()[:8] for path in write_charts(SMALL, tmp_path / "report")]
    assert heads == [b"\x89PNG\r\n\x1a\n"] * 2


def test_a_run_without_requests_has_no_chart_of_speed(tmp_path: Path) -> None:
    quiet = SMALL.model_copy(update={"requests": ()})
    assert [path.name for path in write_charts(quiet, tmp_path)] == ["outcomes.png"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file")
    with pytest.raises(StoreError, match="cannot write charts to"):
        write_charts(SMALL, tmp_path / "report")

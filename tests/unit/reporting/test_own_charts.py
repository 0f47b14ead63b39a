from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from evalkit.errors import ConfigError
from evalkit.reporting import charts
from evalkit.reporting import published as sets
from evalkit.reporting.charts.times import split
from evalkit.reporting.cost import cost_of_resolved
from evalkit.reporting.frames import Frames
from evalkit.stats import wilson
from evalkit.types import EngineSample, Outcome
from tests.doubles.drawn import bar, line, misplaced, words
from tests.doubles.made_runs import LONG, made, of_size
from tests.doubles.tasks import make_result

Chart = Callable[[Frames], Figure | None]

RUNS = {
    "one task": of_size(1),
    "731 tasks": of_size(731, suite="swebench-pro"),
    "only infra errors": of_size(8, {Outcome.INFRA_ERROR: 1}),
    "nothing finished": made([], selected=["demo"]),
    "no engine, no turns": made(
        [make_result(turns=0, completion_tokens=0, llm_s=0.0, outcome=Outcome.RESOLVED)]
    ),
    "long name": of_size(24, model=LONG, engine={"version": "0.32.0"}),
}
CHARTS: dict[str, Chart] = {
    "outcomes": charts.outcomes,
    "by repository": lambda run: charts.outcomes_by(run, "repo"),
    "scores by language": lambda run: charts.scores_by("language", run, of_size(8, model=LONG)),
    "by turns": charts.resolved_by_turns,
    "by tokens": lambda run: charts.resolved_by_tokens(run, of_size(8, model=LONG)),
    "concurrency": charts.tokens_by_concurrency,
    "times": charts.time_split,
    "times of two": lambda run: charts.time_split(run, of_size(8, model=LONG)),
    "cost": charts.cost_of_a_resolved_task,
    "size": lambda run: charts.score_against_size(sets.published(sets.SIZES), [run]),
    "turns": lambda run: charts.score_against_turns(sets.published(sets.TURNS), [run]),
    "benchmarks": lambda run: charts.benchmarks(sets.published(sets.BENCHMARKS), [run]),
    "sets": lambda run: charts.published_sets(sets.pro_scores(), [run]),
}
FOUR = made(
    [
        make_result(task_id="a", outcome=Outcome.RESOLVED, turns=10, repo="x/one"),
        make_result(task_id="b", outcome=Outcome.RESOLVED, turns=30, repo="x/one"),
        make_result(task_id="c", turns=50, repo="x/two"),
    ],
    selected=["a", "b", "c", "d"],
)
"""Two of four tasks are resolved, one is unfinished."""


@pytest.mark.parametrize("chart", list(CHARTS))
@pytest.mark.parametrize("run", list(RUNS))
def test_no_text_lies_on_another_or_leaves_the_page(chart: str, run: str) -> None:
    figure = CHARTS[chart](RUNS[run])
    assert figure is None or misplaced(figure) == []


@pytest.mark.parametrize(
    "chart", ["by turns", "by tokens", "times", "cost", "by repository", "size"]
)
def test_the_caption_says_what_was_run(chart: str) -> None:
    told = words(CHARTS[chart](RUNS["long name"]))
    assert "suite quickstart · revision 0123456789ab · 24 tasks, 1 attempt each" in told


def test_the_caption_names_the_limits() -> None:
    limits = {"turns": 300, "completion_tokens": None, "seconds": 7200.0}
    told = words(charts.time_split(made([make_result()], runner={"limits": limits})))
    assert "limits 300 turns, 7,200 s" in told


@pytest.mark.parametrize(
    "chart", ["by repository", "by turns", "concurrency", "times", "cost"], ids=str
)
def test_there_is_no_chart_without_data(chart: str) -> None:
    assert CHARTS[chart](RUNS["nothing finished"]) is None


def test_an_attempt_counts_from_the_turns_on_that_it_took() -> None:
    figure = charts.resolved_by_turns(FOUR)
    assert figure is not None
    assert line(figure, "curve-Demo-1B").tolist() == [[0, 0], [10, 0.25], [30, 0.5], [50, 0.5]]


def test_a_repositorys_bar_is_its_outcomes_shares() -> None:
    figure = charts.outcomes_by(FOUR, "repo")
    assert figure is not None
    assert bar(figure, "resolved-x-one").get_width() == 1


def test_a_single_repository_is_told_apart_from_none() -> None:
    assert charts.outcomes_by(made([make_result()]), "repo") is None


def test_where_nothing_was_resolved_no_budget_is_drawn() -> None:
    assert charts.resolved_by_turns(made([make_result()])) is None


def test_a_repository_has_counts_beside_it() -> None:
    told = words(charts.outcomes_by(FOUR, "repo"))
    assert ("2 of 2 (100%)" in told, "0 of 1 (0%)" in told) == (True, True)


def test_attempts_of_no_known_repository_are_named() -> None:
    told = words(charts.outcomes_by(FOUR, "repo"))
    assert "1 attempt without a result tell of no repository" in told


def test_an_unfinished_attempt_counts_where_the_tasks_others_do() -> None:
    results = [make_result(outcome=Outcome.RESOLVED), make_result(task_id="b", repo="x/two")]
    run = made(results, attempts=2)
    assert "1 of 2 (50%)" in words(charts.outcomes_by(run, "repo"))


def test_scores_of_two_runs_stand_beside_each_other() -> None:
    figure = charts.scores_by("language", FOUR, of_size(8, model="Other"))
    assert figure is not None
    assert [len(line(figure, name)) for name in ("run-Demo-1B", "run-Other")] == [1, 3]


def test_tokens_between_two_looks_are_put_to_the_requests_that_ran() -> None:
    looks = [(0, 0, 1), (2, 20, 1), (4, 40, 1), (6, 100, 3), (8, 160, 3)]
    samples = [EngineSample(t=t, generation_tokens=made, running=n) for t, made, n in looks]
    figure = charts.tokens_by_concurrency(made([make_result()], samples=samples))
    assert figure is not None
    assert line(figure, "levels").tolist() == [[1, 10], [2, 30], [3, 30]]


def test_a_restart_makes_no_tokens_by_falling_counters() -> None:
    samples = [
        EngineSample(t=t, generation_tokens=tokens, running=1, incarnation=number)
        for t, tokens, number in ((0, 500, 1), (2, 520, 1), (90, 0, 2), (92, 30, 2))
    ]
    figure = charts.tokens_by_concurrency(made([make_result()], samples=samples))
    assert figure is not None
    assert line(figure, "levels").tolist() == [[1, 12.5]]


def test_what_is_left_of_a_rollout_is_the_rest() -> None:
    result = make_result(queue_s=1, setup_s=2, llm_s=3, tool_s=4, wall_s=15, grade_s=5)
    assert split(made([result]).attempts).iloc[0].to_dict() == {
        "queue": 1,
        "setup": 2,
        "model": 3,
        "tools": 4,
        "rest": 6,
        "grading": 5,
    }


def test_a_resolved_task_costs_its_share_of_what_was_spent() -> None:
    run = made(FOUR.run.results, selected=["a", "b", "c", "d"], runner={"price_per_gpu_hour": 3.0})
    cost = cost_of_resolved(run.run)
    assert cost is not None
    assert (cost.spent, cost.each) == (6.0, 3.0)


def test_a_cost_ranges_as_the_score_does() -> None:
    run = made(FOUR.run.results, selected=["a", "b", "c", "d"], runner={"price_per_gpu_hour": 3.0})
    cost, rate = cost_of_resolved(run.run), wilson(2, 4)
    assert cost is not None
    assert (cost.each_low, cost.each_high) == (6 / (4 * rate.high), 6 / (4 * rate.low))


def test_where_nothing_was_resolved_the_least_cost_is_told() -> None:
    run = made([make_result()], runner={"price_per_gpu_hour": 3.0})
    assert "at least " in words(charts.cost_of_a_resolved_task(run))


@pytest.mark.parametrize("runner", [{}, {"price_per_gpu_hour": None}])
def test_without_a_price_there_is_no_cost(runner: dict[str, None]) -> None:
    assert cost_of_resolved(made([make_result()], runner=runner).run) is None


def test_an_own_run_stands_at_its_size_and_score() -> None:
    runner = {"total_params_b": 80, "active_params_b": 3}
    run = made(FOUR.run.results, selected=["a", "b", "c", "d"], runner=runner)
    figure = CHARTS["size"](run)
    assert figure is not None
    assert line(figure, "run-Demo-1B").tolist() == [[80, 50]]


def test_an_own_runs_box_is_drawn_from_its_turns() -> None:
    figure = CHARTS["turns"](FOUR)
    assert figure is not None
    box = bar(figure, "run-Demo-1B")
    assert (box.get_x(), box.get_width()) == (20, 20)


def test_an_own_runs_bar_is_as_high_as_its_score() -> None:
    figure = CHARTS["benchmarks"](FOUR)
    assert figure is not None
    (_, height) = bar(figure, "run-Demo-1B").get_bbox().max
    assert (height, "Demo-1B: 50.0 (own run, another suite)" in words(figure)) == (50, True)


def test_an_own_runs_interval_is_named() -> None:
    assert "their 95% Wilson interval" in words(CHARTS["sets"](FOUR))


def test_another_suite_beside_published_scores_is_named() -> None:
    assert "suite quickstart, whose scores do not compare" in words(CHARTS["benchmarks"](FOUR))


def test_a_part_of_the_suite_beside_published_scores_is_named() -> None:
    run = made(FOUR.run.results, suite="swebench-pro", suite_tasks=731)
    assert "3 tasks, where the others ran all 731" in words(CHARTS["size"](run))


def test_runs_of_one_model_are_told_apart_by_their_folders() -> None:
    resolved = make_result(outcome=Outcome.RESOLVED)
    runs = [made([resolved], name=name) for name in ("monday", "tuesday")]
    told = words(charts.resolved_by_turns(*runs))
    assert ("monday" in told, "tuesday" in told) == (True, True)


def test_more_runs_than_can_be_told_apart_are_refused() -> None:
    resolved = make_result(outcome=Outcome.RESOLVED)
    with pytest.raises(ConfigError, match="4 runs at most, not 5"):
        charts.resolved_by_turns(*[made([resolved], name=str(n)) for n in range(5)])


@pytest.mark.parametrize("name", ["a\ud800b", "a\nb", "a\x1b[31m", "$a$"])
def test_names_that_no_font_can_show_are_drawn_in_part(name: str, tmp_path: Path) -> None:
    results = [make_result(repo="x/one"), make_result(task_id="b", repo="x/two")]
    paths = charts.write_charts(made(results, model=name, suite="swebench-pro").run, tmp_path)
    assert {path.stem for path in paths} >= {"outcomes", "outcomes_by_repository", "benchmarks"}


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (
        [path.read_bytes() for path in charts.write_charts(of_size(8).run, tmp_path / name)]
        for name in ("a", "b")
    )
    assert first == second

from collections.abc import Sequence

import pytest
from hypothesis import given
from scipy.stats import t

from evalkit.stats import TaskTries, clustered, spread, without_each_repo
from tests.benchmarks.coverage import DESIGNS, Design, by_cluster, by_wilson, coverage
from tests.unit.stats.conftest import runs, tries
from tests.unit.stats.test_wilson import leaderboard

TWO_REPOS = [tries("a", 1, repo="x"), tries("b", 0, repo="x"), tries("c", 1, repo="y")]


@pytest.mark.parametrize(("score", "margin"), leaderboard())
def test_with_each_task_its_own_cluster_half_the_width_is_the_published_margin(
    score: float, margin: float
) -> None:
    # Published is 1.96 * sqrt(p (1 - p) / 730).
    passed = round(score * 7.30)
    tasks = [tries(f"{n}", int(n < passed), repo=f"{n}") for n in range(730)]
    interval = clustered(tasks)
    assert interval is not None
    assert (interval.high - interval.low) * 50 == pytest.approx(margin, abs=0.02)


def test_with_each_task_its_own_cluster_it_is_the_mean_of_a_sample() -> None:
    values = [0.0, 1.0, 1.0, 0.5, 0.25]
    found = spread(values, list("abcde"))
    mean = sum(values) / 5
    error = (sum((value - mean) ** 2 for value in values) / 4 / 5) ** 0.5
    assert found == pytest.approx((error, 4))


def test_with_clusters_of_one_size_it_is_the_mean_of_the_clusters_means() -> None:
    values, clusters = [0.0, 1.0, 1.0, 1.0, 0.0, 0.0], list("aabbcc")
    assert spread(values, clusters) == pytest.approx(spread([0.5, 1.0, 0.0], list("abc")))


def test_clusters_that_differ_in_size_have_fewer_degrees_of_freedom() -> None:
    found = spread([0.0, 1.0] * 10, ["big"] * 18 + ["small", "other"])
    assert found is not None
    assert found.freedom < 1.5


def test_the_interval_is_the_errors_times_a_quantile_of_t() -> None:
    tasks = [tries(f"{n}", n % 2, 2, repo=f"{n % 5}") for n in range(40)]
    interval, found = clustered(tasks), spread([one.mean for one in tasks], [t.repo for t in tasks])
    assert interval is not None
    assert found is not None
    half = t.ppf(0.975, found.freedom) * found.error
    assert interval.high - interval.estimate == pytest.approx(half)


def test_one_repository_alone_has_no_such_interval() -> None:
    assert clustered([tries("a", 1), tries("b", 0)]) is None


def test_without_tasks_there_is_no_score() -> None:
    with pytest.raises(ValueError, match="no task"):
        clustered([])


@given(runs())
def test_the_interval_holds_the_estimate(tasks: Sequence[TaskTries]) -> None:
    interval = clustered(tasks)
    assert interval is None or 0 <= interval.low <= interval.estimate <= interval.high <= 1


@given(runs())
def test_a_task_counts_the_same_however_often_it_was_tried(tasks: Sequence[TaskTries]) -> None:
    again = [
        one.model_copy(update={"resolved": 3 * one.resolved, "attempts": 3 * one.attempts})
        for one in tasks
    ]
    assert clustered(again) == clustered(tasks)


def test_each_repository_is_left_out_once() -> None:
    assert without_each_repo(TWO_REPOS) == {"x": 1.0, "y": 0.5}


def test_the_only_repository_cannot_be_left_out() -> None:
    assert without_each_repo([tries("a", 1)]) == {}


@pytest.mark.parametrize("design", [one for one in DESIGNS if "731" not in one.name], ids=str)
def test_about_95_of_100_intervals_hold_the_truth(design: Design) -> None:
    # The full simulation is `python -m tests.benchmarks.coverage`; 400 rounds are within 2.2 %.
    assert 0.90 <= coverage(design, by_cluster, rounds=400) <= 0.985


def test_of_independent_attempts_about_95_of_100_wilson_intervals_hold_the_truth() -> None:
    assert 0.925 <= coverage(Design("", (60,)), by_wilson, rounds=1000) <= 0.975

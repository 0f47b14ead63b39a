"""A run's score by repository, and what its first page says of it."""

import pytest

from evalkit.reporting.html.overview import repositories
from evalkit.reporting.load import salvage_run
from evalkit.reporting.repositories import by_repository
from evalkit.reporting.run import Run
from evalkit.types import Outcome
from tests.doubles.tasks import make_result
from tests.unit.reporting.conftest import WriteRun

SHARES = {"a/one": (3, 4), "b/two": (1, 4), "c/three": (2, 4)}
"""Resolved and selected tasks, by repository: 6 of 12."""


@pytest.fixture
def run(write_run: WriteRun) -> Run:
    results = [
        make_result(
            task_id=f"{repo[0]}-{number}",
            repo=repo,
            outcome=Outcome.RESOLVED if number < resolved else Outcome.UNRESOLVED,
        )
        for repo, (resolved, of) in SHARES.items()
        for number in range(of)
    ]
    return salvage_run(write_run(results, selected=[one.task_id for one in results]))


def test_the_score_without_a_repository_is_that_of_the_others(run: Run) -> None:
    assert by_repository(run).without == {"a/one": 3 / 8, "b/two": 5 / 8, "c/three": 4 / 8}


def test_the_interval_is_about_the_score_of_all_tasks(run: Run) -> None:
    interval = by_repository(run).interval
    assert interval is not None
    assert (interval.estimate, interval.low < 0.5 < interval.high) == (0.5, True)


def test_a_task_without_a_result_counts_as_one_of_its_own(run: Run) -> None:
    more = run.model_copy(update={"selected": (*run.selected, "lost")})
    assert by_repository(more).without["lost"] == 0.5


def test_the_first_page_says_which_repository_moves_the_score_most(run: Run) -> None:
    told = {fact.name: fact.value for fact in repositories(run)}
    assert told["with one repository left out"] == "37.5% without a/one to 62.5% without b/two"


def test_of_repositories_that_score_the_same_it_says_nothing(run: Run) -> None:
    none = [one.model_copy(update={"outcome": Outcome.UNRESOLVED}) for one in run.results]
    assert list(repositories(run.model_copy(update={"results": tuple(none)}))) == []


def test_of_one_repository_the_first_page_says_nothing(write_run: WriteRun) -> None:
    one = salvage_run(write_run([make_result()], selected=["demo"]))
    assert list(repositories(one)) == []

import numpy as np
import pytest

from evalkit.stats import TaskPair, deciding, minimum_detectable_drop, simulate_drop
from tests.benchmarks.coverage import false_alarms
from tests.unit.stats.conftest import paired

REPOS = [str(number % 11) for number in range(60)]
EVEN = [0.45] * 60


def _once(losses: int, wins: int, others: int) -> tuple[TaskPair, ...]:
    return paired(*[(1, 0)] * losses, *[(0, 1)] * wins, *[(0, 0)] * others)


def test_of_tasks_tried_once_it_follows_from_the_flips() -> None:
    # (1.645 + 0.842) * sqrt(16) / 100 tasks
    drop = minimum_detectable_drop(_once(8, 8, 84), alpha=0.05)
    assert drop == pytest.approx(9.95, abs=0.01)


def test_no_drop_is_seen_that_an_exact_test_could_not_call_significant() -> None:
    # Five losses and no win: 1/32 < 0.05; four would be 1/16.
    assert minimum_detectable_drop(_once(0, 0, 50), alpha=0.05) == pytest.approx(10)


def test_without_scatter_between_repeated_attempts_it_is_unknown() -> None:
    assert minimum_detectable_drop(paired(*[(3, 3)] * 9, attempts=3), alpha=0.05) is None


def test_a_stricter_test_sees_less() -> None:
    pairs = _once(8, 8, 84)
    loose, strict = (minimum_detectable_drop(pairs, alpha=alpha) or 0 for alpha in (0.05, 0.01))
    assert strict > loose


SCATTERED = paired(*[(2, 1), (1, 2), (3, 1), (1, 1), (2, 3), (0, 1)] * 10, attempts=3, repos=10)


def test_a_quarter_of_the_detectable_drop_takes_sixteen_times_the_tasks() -> None:
    seen = minimum_detectable_drop(SCATTERED, alpha=0.05) or 0
    assert deciding(SCATTERED, seen / 4, alpha=0.05).tasks == pytest.approx(60 * 16, abs=1)


def test_where_attempts_are_all_that_scatters_half_the_drop_takes_four_times_as_many() -> None:
    counts = np.random.default_rng(1).binomial(2, 0.5, size=(400, 2)).tolist()
    pairs = paired(*((base, candidate) for base, candidate in counts), attempts=2)
    seen = minimum_detectable_drop(pairs, alpha=0.05) or 0
    assert deciding(pairs, seen / 2, alpha=0.05).attempts == pytest.approx(8, abs=2)


def test_where_tasks_differ_themselves_no_number_of_attempts_decides() -> None:
    pairs = paired(*[(3, 0), (0, 3), (2, 2)] * 10, attempts=3)
    assert deciding(pairs, 1.0, alpha=0.05).attempts is None


def test_of_tasks_tried_once_nobody_knows_what_attempts_would_do() -> None:
    assert deciding(_once(8, 8, 84), 5, alpha=0.05).attempts is None


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [(1, 0.22), (5, 0.71)],
    ids=["one attempt a task", "five"],
)
def test_the_power_that_the_page_states(attempts: int, expected: float) -> None:
    caught = simulate_drop(EVEN, REPOS, 10, attempts=attempts, base_attempts=attempts, nights=400)
    assert caught.significant == pytest.approx(expected, abs=0.06)


def test_a_red_night_without_any_drop_is_rare() -> None:
    caught = simulate_drop(EVEN, REPOS, 0, attempts=3, base_attempts=5, nights=400)
    assert caught.significant <= 0.08


def test_the_exact_test_alarms_falsely_at_most_as_often_as_it_says() -> None:
    assert false_alarms(1, rounds=500) <= 0.07


def test_every_night_is_one_or_the_other_where_nothing_is_allowed_to_drop() -> None:
    caught = simulate_drop(EVEN, REPOS, 40, attempts=1, base_attempts=1, max_drop=0, nights=50)
    assert caught.significant + caught.doubtful == 1


def test_rates_cannot_drop_below_nothing() -> None:
    with pytest.raises(ValueError, match="cannot drop"):
        simulate_drop([0.05] * 10, REPOS[:10], 10, attempts=1, base_attempts=1)


def test_a_drop_is_taken_off_where_there_is_something_to_take() -> None:
    rates = [0.0] * 30 + [1.0] * 30
    caught = simulate_drop(rates, REPOS, 50, attempts=1, base_attempts=1, nights=20)
    assert caught.significant == 1

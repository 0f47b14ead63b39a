from itertools import combinations

import pytest

from evalkit.stats import mean_pass_at_k, mean_pass_hat_k, pass_at_k, pass_hat_k
from tests.unit.stats.conftest import tries

DRAWS = [(c, n, k) for n in range(1, 8) for c in range(n + 1) for k in range(1, n + 1)]
"""Every draw of k of up to seven attempts, c of which resolve: c = 0 and c = n among them."""

pytestmark = pytest.mark.row("I2")


def _subsets(resolved: int, attempts: int, k: int) -> list[tuple[bool, ...]]:
    outcomes = [number < resolved for number in range(attempts)]
    return list(combinations(outcomes, k))


@pytest.mark.parametrize(("resolved", "attempts", "k"), DRAWS)
def test_pass_at_k_is_the_share_of_subsets_with_one_resolved(
    resolved: int, attempts: int, k: int
) -> None:
    subsets = _subsets(resolved, attempts, k)
    expected = sum(any(subset) for subset in subsets) / len(subsets)
    assert pass_at_k(resolved, attempts, k) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("resolved", "attempts", "k"), DRAWS)
def test_pass_hat_k_is_the_share_of_subsets_with_all_resolved(
    resolved: int, attempts: int, k: int
) -> None:
    subsets = _subsets(resolved, attempts, k)
    expected = sum(all(subset) for subset in subsets) / len(subsets)
    assert pass_hat_k(resolved, attempts, k) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("resolved", "attempts", "k"), [(1, 2, 3), (0, 2, 0), (3, 2, 1), (-1, 2, 1)]
)
def test_more_than_there_are_cannot_be_drawn(resolved: int, attempts: int, k: int) -> None:
    with pytest.raises(ValueError, match="no such draw"):
        pass_at_k(resolved, attempts, k)


UNEQUAL = [tries("often", 1, 4), tries("once", 1, 1), tries("twice", 1, 2)]


def test_each_task_counts_with_its_own_number_of_attempts() -> None:
    # 2 of 4: the resolved one is in half of the 6 pairs. 2 of 2: it is in the only one.
    assert mean_pass_at_k(UNEQUAL, 2).score == pytest.approx((0.5 + 1.0) / 2)


def test_all_k_are_resolved_in_no_pair_with_one_resolved() -> None:
    assert mean_pass_hat_k(UNEQUAL, 2).score == 0


def test_tasks_tried_less_often_are_named() -> None:
    assert mean_pass_at_k(UNEQUAL, 2).left_out == ("once",)


def test_the_tasks_that_count_are_counted() -> None:
    assert mean_pass_at_k(UNEQUAL, 2).tasks == 2


def test_where_no_task_was_tried_so_often_there_is_no_score() -> None:
    assert mean_pass_at_k(UNEQUAL, 5).score is None

from collections.abc import Sequence
from itertools import product
from math import comb

import pytest
from hypothesis import given

from evalkit.stats import TaskTries, drop_p, mcnemar, pair_up, paired_bootstrap
from tests.benchmarks.coverage import DESIGNS, Design, by_bootstrap, coverage
from tests.unit.stats.conftest import paired, runs, tries

pytestmark = pytest.mark.row("I4")

WIN, LOSS, BOTH, NEITHER = (0, 1), (1, 0), (1, 1), (0, 0)
FLIPS = [(wins, losses) for wins in range(8) for losses in range(8) if wins + losses]


def _wins_of_every_outcome(flips: int) -> list[int]:
    return [sum(outcome) for outcome in product((0, 1), repeat=flips)]


@pytest.mark.parametrize(("wins", "losses"), FLIPS)
def test_mcnemars_p_is_the_share_of_all_outcomes_that_are_no_likelier(
    wins: int, losses: int
) -> None:
    flips = wins + losses
    every = _wins_of_every_outcome(flips)
    rare = [one for one in every if comb(flips, one) <= comb(flips, wins)]
    found = mcnemar(paired(*[WIN] * wins, *[LOSS] * losses, BOTH, NEITHER))
    assert found.p == pytest.approx(len(rare) / len(every))


@pytest.mark.parametrize(("wins", "losses"), FLIPS)
def test_the_p_of_a_drop_is_the_share_of_all_outcomes_with_no_more_wins(
    wins: int, losses: int
) -> None:
    every = _wins_of_every_outcome(wins + losses)
    worse = [one for one in every if one <= wins]
    found = mcnemar(paired(*[WIN] * wins, *[LOSS] * losses))
    assert found.p_drop == pytest.approx(len(worse) / len(every))


def test_without_a_flip_nothing_differs() -> None:
    assert mcnemar(paired(BOTH, NEITHER)).p == 1.0


@pytest.mark.parametrize(("resolved", "majority"), [(1, False), (2, False), (3, True)])
def test_half_of_the_attempts_are_no_majority(resolved: int, majority: bool) -> None:
    assert tries("a", resolved, 4).majority is majority


def test_a_tie_against_a_majority_is_a_win() -> None:
    assert mcnemar(paired((2, 3), attempts=4)).wins == 1


@given(runs(), runs())
def test_swapped_wins_are_losses(one: Sequence[TaskTries], other: Sequence[TaskTries]) -> None:
    there, back = mcnemar(pair_up(one, other)), mcnemar(pair_up(other, one))
    assert (there.wins, there.losses, there.p) == (back.losses, back.wins, back.p)


@given(runs(), runs())
def test_only_common_tasks_count(one: Sequence[TaskTries], other: Sequence[TaskTries]) -> None:
    common = {task.task_id for task in one} & {task.task_id for task in other}
    assert {pair.task_id for pair in pair_up(one, other)} == common


@given(runs(), runs())
def test_other_tasks_change_nothing(one: Sequence[TaskTries], other: Sequence[TaskTries]) -> None:
    common = {task.task_id for task in one} & {task.task_id for task in other}
    less = [task for task in other if task.task_id in common]
    assert pair_up(one, less) == pair_up(one, other)


@given(runs(), runs())
def test_the_order_of_tasks_does_not_matter(
    one: Sequence[TaskTries], other: Sequence[TaskTries]
) -> None:
    shuffled = sorted(one, key=lambda task: task.task_id[::-1])
    assert pair_up(shuffled, other) == pair_up(one, other)


MIXED = paired((5, 3), (2, 2), (4, 0), (1, 2), (0, 0), (5, 5), (3, 1), (4, 4), attempts=5, repos=8)


def test_the_estimate_is_the_mean_difference_in_points() -> None:
    assert paired_bootstrap(MIXED).estimate == pytest.approx(-100 * 7 / 5 / 8)


@pytest.mark.row("I6")
def test_the_same_seed_gives_the_same_figures() -> None:
    assert paired_bootstrap(MIXED, seed=7) == paired_bootstrap(MIXED, seed=7)


def test_another_seed_gives_others() -> None:
    assert paired_bootstrap(MIXED, seed=7) != paired_bootstrap(MIXED, seed=8)


def test_swapped_the_difference_turns_its_sign() -> None:
    swapped = [
        pair.model_copy(update={"base": pair.candidate, "candidate": pair.base}) for pair in MIXED
    ]
    there, back = paired_bootstrap(MIXED), paired_bootstrap(swapped)
    assert (back.estimate, back.low, back.high) == pytest.approx(
        (-there.estimate, -there.high, -there.low), abs=0.05
    )


def test_tasks_of_many_repositories_are_drawn_by_repository() -> None:
    assert paired_bootstrap(paired(*[LOSS, WIN] * 20, repos=8)).clusters == 8


def test_where_repositories_are_few_tasks_are_drawn() -> None:
    assert paired_bootstrap(paired(*[LOSS, WIN] * 20, repos=5)).clusters == 40


@pytest.mark.parametrize("pair", [BOTH, NEITHER])
def test_runs_that_are_alike_do_not_differ(pair: tuple[int, int]) -> None:
    found = paired_bootstrap(paired(*[pair] * 12, repos=6))
    assert (found.estimate, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_a_loss_on_every_task_is_no_accident() -> None:
    assert paired_bootstrap(paired(*[LOSS] * 12, repos=6)).p_drop < 0.001


def test_a_win_on_every_task_is_no_drop() -> None:
    assert paired_bootstrap(paired(*[WIN] * 12, repos=6)).p_drop == 1


def test_without_a_common_task_there_is_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="no task in common"):
        paired_bootstrap([])


def test_of_tasks_tried_once_mcnemar_decides() -> None:
    pairs = paired(*[LOSS] * 5, BOTH, WIN)
    assert drop_p(pairs) == mcnemar(pairs).p_drop


def test_of_tasks_tried_again_the_bootstrap_decides() -> None:
    assert drop_p(MIXED) == paired_bootstrap(MIXED).p_drop


@pytest.mark.parametrize("design", [one for one in DESIGNS if "60 tasks" in one.name], ids=str)
def test_about_95_of_100_intervals_hold_the_truth(design: Design) -> None:
    assert 0.90 <= coverage(design, by_bootstrap, rounds=200) <= 0.99

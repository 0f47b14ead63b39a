"""The tables of power, from few simulated nights; what is simulated is tested with the statistics."""

import re
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.nightly.data import Instance
from tests.nightly.power import begun, calm, steady

CHOSEN = [
    Instance(
        id=f"{number:02}",
        repo=f"acme/{number % 8}",
        entries=1,
        required=1,
        inexact=False,
        graded=9,
        solved=2 + number % 7,
        known=False,
    )
    for number in range(40)
]
Table = Callable[[Sequence[Instance], int], Iterator[str]]


def percentages(line: str) -> list[int]:
    """Return the red nights of a line, in percent."""
    return [int(red) for red in re.findall(r"(\d+) \(\d+\)", line)]


@pytest.mark.parametrize("table", [steady, begun, calm])
def test_all_lines_of_a_table_are_of_one_width(table: Table) -> None:
    assert len({line.count("|") for line in table(CHOSEN, 2)}) == 1


def test_a_larger_drop_is_caught_more_often() -> None:
    seven_nights = percentages([*steady(CHOSEN, 40)][-1])
    assert seven_nights[0] < seven_nights[-2]


def test_a_drop_is_seen_better_with_each_night() -> None:
    found = percentages([*begun(CHOSEN, 40)][-1])
    assert found[0] < found[-1]


def test_allowing_more_makes_a_calm_job_calmer() -> None:
    few, _, many = percentages([*calm(CHOSEN, 40)][-1])
    assert many <= few

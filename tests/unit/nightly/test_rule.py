"""The rule of the nightly suite, on instances made up and on the published ones."""

from collections import Counter
from pathlib import Path

import pytest

from tests.nightly.choose import LIST, band, choose, stable
from tests.nightly.data import LISTS, Instance, local

DATA = Path(__file__).parents[4] / "shared" / "data"
published = pytest.mark.skipif(
    not (DATA / LISTS).is_file(), reason="the published data is not beside the checkout"
)


def instance(name: str, **changes: object) -> Instance:
    facts: dict[str, object] = {
        "id": name,
        "repo": "acme/rocket",
        "entries": 1,
        "required": 1,
        "inexact": False,
        "graded": 9,
        "solved": 4,
        "known": False,
    }
    return Instance(**{**facts, **changes})  # type: ignore[arg-type]


def ids(chosen: list[Instance]) -> list[str]:
    return [one.id for one in chosen]


@pytest.mark.parametrize(
    "fault", [{"known": True}, {"inexact": True}, {"graded": 7}, {"solved": 1}], ids=str
)
def test_an_instance_whose_grading_is_in_doubt_is_not_stable(fault: dict[str, object]) -> None:
    assert (stable(instance("a")), stable(instance("a", **fault))) == (True, False)


def test_the_one_with_fewest_entries_comes_first() -> None:
    assert ids(choose([instance("a", entries=3), instance("b", entries=2)], 1)) == ["b"]


def test_of_equal_entries_the_one_with_fewest_tests_comes_first() -> None:
    assert ids(choose([instance("a", required=9), instance("b")], 1)) == ["b"]


def test_seats_go_to_repositories_by_their_size() -> None:
    small = [instance(f"s{number}", repo="acme/small") for number in range(10)]
    large = [instance(f"l{number}") for number in range(20)]
    chosen = choose([*small, *large], 6)
    assert Counter(one.repo for one in chosen) == {"acme/small": 2, "acme/rocket": 4}


def test_bands_are_filled_in_turn() -> None:
    many = [instance(f"{solved}{copy}", solved=solved) for solved in (3, 5, 8) for copy in "abc"]
    assert Counter(map(band, choose(many, 6))) == {"hard": 2, "medium": 2, "easy": 2}


def test_a_band_that_is_empty_is_passed_over() -> None:
    assert len(choose([instance(name) for name in "abcd"], 3)) == 3


@published
def test_the_rule_gives_the_list_of_the_suite() -> None:
    listed = [line for line in LIST.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert ids(choose(local(DATA))) == listed


@published
def test_all_repositories_are_covered() -> None:
    instances = local(DATA)
    assert {one.repo for one in choose(instances)} == {one.repo for one in instances}

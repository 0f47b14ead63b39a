import pytest

from spans import IntervalSet


def test_overlapping_intervals_are_joined():
    assert list(IntervalSet([(1, 4), (3, 6)])) == [(1, 6)]


def test_touching_intervals_are_joined():
    assert list(IntervalSet([(1, 4), (4, 6)])) == [(1, 6)]


def test_intervals_apart_stay_apart_in_order():
    assert list(IntervalSet([(5, 6), (1, 2)])) == [(1, 2), (5, 6)]


def test_empty_intervals_disappear():
    assert list(IntervalSet([(1, 1)])) == []


def test_backward_interval_is_refused():
    with pytest.raises(ValueError, match="before it starts"):
        IntervalSet([(4, 1)])


@pytest.mark.parametrize(
    ("number", "inside"),
    [
        pytest.param(0, False, id="before"),
        pytest.param(1, True, id="start"),
        pytest.param(4, False, id="end"),
        pytest.param(5, True, id="second"),
        pytest.param(9, False, id="after"),
    ],
)
def test_contains(number, inside):
    assert (number in IntervalSet([(1, 4), (5, 6)])) is inside


def test_union():
    assert IntervalSet([(1, 2)]) | IntervalSet([(2, 3)]) == IntervalSet([(1, 3)])


def test_intersection():
    assert IntervalSet([(1, 5), (7, 9)]) & IntervalSet([(4, 8)]) == IntervalSet([(4, 5), (7, 8)])


def test_difference():
    assert IntervalSet([(1, 9)]) - IntervalSet([(3, 4)]) == IntervalSet([(1, 3), (4, 9)])


def test_total():
    assert IntervalSet([(1, 4), (5, 6)]).total == 4


@pytest.mark.parametrize(
    "intervals",
    [
        pytest.param([(0, 10), (2, 3)], id="in-the-middle"),
        pytest.param([(2, 3), (0, 10)], id="inner-first"),
        pytest.param([(0, 10), (0, 3)], id="same-start"),
        pytest.param([(0, 10), (7, 10)], id="same-end"),
        pytest.param([(0, 10), (0, 10)], id="twice-the-same"),
        pytest.param([(0, 10), (1, 8), (2, 3)], id="three-deep"),
        pytest.param([(0, 8), (2, 3), (5, 10)], id="nested-then-overlapping"),
    ],
)
def test_nested_intervals_keep_the_outer_one(intervals):
    assert list(IntervalSet(intervals)) == [(0, 10)]


def test_number_after_the_inner_interval_is_in_the_set():
    assert 5 in IntervalSet([(0, 10), (2, 3)])


def test_union_with_a_part_changes_nothing():
    assert IntervalSet([(0, 10)]) | IntervalSet([(4, 5)]) == IntervalSet([(0, 10)])


def test_nested_interval_does_not_join_what_is_apart():
    assert list(IntervalSet([(0, 5), (1, 2), (6, 8)])) == [(0, 5), (6, 8)]

import pytest

from yearly import day_of_year, days_left


def test_first_day():
    assert day_of_year(2023, 1, 1) == 1


def test_leap_day_moves_the_days_after_it():
    assert day_of_year(2024, 3, 1) == day_of_year(2023, 3, 1) + 1


def test_nothing_is_left_after_the_last_day():
    assert days_left(2024, 12, 31) == 0


def test_day_that_does_not_exist():
    with pytest.raises(ValueError, match="no such day"):
        day_of_year(2023, 2, 29)


def test_leap_day_of_2000():
    assert day_of_year(2000, 2, 29) == 60


def test_last_day_of_2000():
    assert day_of_year(2000, 12, 31) == 366

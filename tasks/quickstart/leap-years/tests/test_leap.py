import pytest

from yearly import is_leap_year


@pytest.mark.parametrize("year", [1996, 2004, 2024])
def test_every_fourth_year_is_a_leap_year(year):
    assert is_leap_year(year)


@pytest.mark.parametrize("year", [1999, 2022, 2023])
def test_other_years_are_not(year):
    assert not is_leap_year(year)


@pytest.mark.parametrize("year", [1800, 1900, 2100])
def test_years_that_end_a_century_are_not(year):
    assert not is_leap_year(year)


@pytest.mark.parametrize("year", [1600, 2000, 2400])
def test_years_that_400_divides_are_leap_years(year):
    assert is_leap_year(year)


@pytest.mark.parametrize("year", [1999, 2001, 2200, 2300])
def test_years_near_them_are_not(year):
    assert not is_leap_year(year)

import pytest

from yearly import days_in_month, days_in_year


@pytest.mark.parametrize(
    ("year", "days"),
    [
        pytest.param(2023, 365, id="common"),
        pytest.param(2024, 366, id="leap"),
        pytest.param(1900, 365, id="century"),
    ],
)
def test_days_in_year(year, days):
    assert days_in_year(year) == days


@pytest.mark.parametrize(
    ("year", "month", "days"),
    [
        pytest.param(2023, 1, 31, id="january"),
        pytest.param(2023, 2, 28, id="february"),
        pytest.param(2024, 2, 29, id="leap-february"),
        pytest.param(2024, 4, 30, id="april"),
    ],
)
def test_days_in_month(year, month, days):
    assert days_in_month(year, month) == days


def test_months_end_with_december():
    with pytest.raises(ValueError, match="month"):
        days_in_month(2023, 13)


def test_year_2000_has_366_days():
    assert days_in_year(2000) == 366


def test_february_2000_has_29_days():
    assert days_in_month(2000, 2) == 29


def test_march_2000_has_31_days():
    assert days_in_month(2000, 3) == 31

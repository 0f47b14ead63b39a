from datetime import datetime

import pytest

from agenda import Daily, Monthly, Weekly, Yearly


@pytest.mark.parametrize(
    ("rule", "following"),
    [
        pytest.param(Daily(), datetime(2024, 1, 16, 9, 30), id="daily"),
        pytest.param(Daily(every=3), datetime(2024, 1, 18, 9, 30), id="every-third-day"),
        pytest.param(Weekly(), datetime(2024, 1, 22, 9, 30), id="weekly"),
        pytest.param(Monthly(), datetime(2024, 2, 15, 9, 30), id="monthly"),
        pytest.param(Monthly(every=12), datetime(2025, 1, 15, 9, 30), id="every-twelfth-month"),
        pytest.param(Yearly(), datetime(2025, 1, 15, 9, 30), id="yearly"),
    ],
)
def test_next_after(rule, following):
    assert rule.next_after(datetime(2024, 1, 15, 9, 30)) == following


def test_short_month_has_its_last_day():
    assert Monthly().next_after(datetime(2023, 1, 31)) == datetime(2023, 2, 28)


def test_december_is_followed_by_january():
    assert Monthly().next_after(datetime(2023, 12, 5)) == datetime(2024, 1, 5)


def test_leap_day_has_a_day_in_other_years():
    assert Yearly().next_after(datetime(2024, 2, 29)) == datetime(2025, 2, 28)

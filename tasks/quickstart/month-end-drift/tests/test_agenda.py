from datetime import datetime

import pytest

from agenda import Agenda, Daily, Event, Monthly, Weekly, Yearly

MONDAY = datetime(2024, 1, 15, 9, 30)


def names(events):
    return [event.name for event in events]


def test_events_come_in_the_order_of_time():
    agenda = Agenda()
    agenda.add("lunch", datetime(2024, 1, 15, 12))
    agenda.add("stand-up", MONDAY)
    assert names(agenda) == ["stand-up", "lunch"]


def test_single_event_is_due_once():
    agenda = Agenda()
    agenda.add("dentist", MONDAY)
    assert names(agenda.run_due(MONDAY)) == ["dentist"]
    assert len(agenda) == 0


def test_nothing_is_due_before_its_time():
    agenda = Agenda()
    agenda.add("dentist", MONDAY)
    assert agenda.run_due(datetime(2024, 1, 15, 9, 29)) == []


def test_repeating_event_is_due_for_every_time_missed():
    agenda = Agenda()
    agenda.add("stand-up", MONDAY, Daily())
    due = agenda.run_due(datetime(2024, 1, 17, 12))
    assert [event.when.day for event in due] == [15, 16, 17]


def test_repeating_event_stays():
    agenda = Agenda()
    agenda.add("review", MONDAY, Weekly(every=2))
    agenda.run_due(MONDAY)
    assert [event.when for event in agenda] == [datetime(2024, 1, 29, 9, 30)]


def test_cancel():
    agenda = Agenda()
    agenda.add("stand-up", MONDAY, Daily())
    agenda.add("lunch", MONDAY)
    assert agenda.cancel("stand-up") == 1
    assert names(agenda) == ["lunch"]


def test_upcoming():
    event = Event("rent", datetime(2024, 11, 1), Monthly())
    assert event.upcoming(3) == [
        datetime(2024, 11, 1),
        datetime(2024, 12, 1),
        datetime(2025, 1, 1),
    ]


def test_upcoming_of_a_single_event():
    assert Event("dentist", MONDAY).upcoming(3) == [MONDAY]


def test_rule_must_move_on():
    with pytest.raises(ValueError, match="every 0"):
        Agenda().add("stuck", MONDAY, Daily(every=0))


def days(times):
    return [when.strftime("%Y-%m-%d") for when in times]


def test_monthly_event_comes_back_to_its_day():
    event = Agenda().add("invoices", datetime(2023, 1, 31), Monthly())
    assert days(event.upcoming(5)) == [
        "2023-01-31",
        "2023-02-28",
        "2023-03-31",
        "2023-04-30",
        "2023-05-31",
    ]


def test_event_made_without_an_agenda_comes_back_to_its_day():
    event = Event("invoices", datetime(2024, 1, 30), Monthly())
    assert days(event.upcoming(3)) == ["2024-01-30", "2024-02-29", "2024-03-30"]


def test_quarterly_event_comes_back_to_its_day():
    event = Agenda().add("report", datetime(2023, 8, 31), Monthly(every=3))
    assert days(event.upcoming(4)) == ["2023-08-31", "2023-11-30", "2024-02-29", "2024-05-31"]


def test_leap_day_comes_back():
    event = Agenda().add("party", datetime(2024, 2, 29), Yearly())
    assert days(event.upcoming(5)) == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
    ]


def test_due_events_come_back_to_their_day():
    agenda = Agenda()
    agenda.add("invoices", datetime(2023, 1, 31), Monthly())
    due = agenda.run_due(datetime(2023, 3, 31))
    assert days(event.when for event in due) == ["2023-01-31", "2023-02-28", "2023-03-31"]


def test_running_again_goes_on_with_the_day():
    agenda = Agenda()
    agenda.add("invoices", datetime(2023, 1, 31), Monthly())
    agenda.run_due(datetime(2023, 2, 28))
    assert days(event.when for event in agenda) == ["2023-03-31"]


def test_events_that_share_a_rule_keep_their_own_days():
    agenda, monthly = Agenda(), Monthly()
    agenda.add("invoices", datetime(2023, 1, 31), monthly)
    agenda.add("rent", datetime(2023, 1, 29), monthly)
    agenda.run_due(datetime(2023, 2, 28))
    assert days(event.when for event in agenda) == ["2023-03-29", "2023-03-31"]


def test_event_that_begins_on_a_last_day_stays_on_that_number():
    event = Agenda().add("rent", datetime(2023, 2, 28), Monthly())
    assert days(event.upcoming(3)) == ["2023-02-28", "2023-03-28", "2023-04-28"]

import json
from datetime import datetime, timedelta

import pytest

from agenda import Agenda, Daily, Monthly, Weekly, Yearly, dump, load

SAVED = """
[
  {"name": "dentist", "when": "2024-01-15T09:30:00"},
  {"name": "rent", "when": "2024-02-01T00:00:00", "repeats": {"kind": "monthly", "every": 1}}
]
"""


def test_load():
    agenda = load(SAVED)
    assert [(event.name, event.when) for event in agenda] == [
        ("dentist", datetime(2024, 1, 15, 9, 30)),
        ("rent", datetime(2024, 2, 1)),
    ]


def test_loaded_rule_works():
    agenda = load(SAVED)
    agenda.run_due(datetime(2024, 2, 1))
    assert [event.when for event in agenda] == [datetime(2024, 3, 1)]


def test_dump():
    agenda = Agenda()
    agenda.add("dentist", datetime(2024, 1, 15, 9, 30))
    agenda.add("backup", datetime(2024, 1, 16), Daily(every=2))
    dentist, backup = json.loads(dump(agenda))
    assert (dentist["name"], dentist["when"]) == ("dentist", "2024-01-15T09:30:00")
    assert (backup["repeats"]["kind"], backup["repeats"]["every"]) == ("daily", 2)


def test_load_reads_what_was_dumped():
    agenda = Agenda()
    agenda.add("review", datetime(2024, 1, 15), Weekly(every=2))
    agenda.add("dentist", datetime(2024, 1, 16, 9, 30))
    assert list(load(dump(agenda))) == list(agenda)


def dates_of_daily_job(agenda, start, days):
    """Load, run and dump the agenda once a day; return the dates on which something was due."""
    saved = dump(agenda)
    dates = []
    for day in range(days):
        agenda = load(saved)
        due = agenda.run_due(start + timedelta(days=day))
        dates += [event.when.date().isoformat() for event in due]
        saved = dump(agenda)
    return dates


def test_monthly_day_survives_the_file():
    agenda = Agenda()
    agenda.add("invoices", datetime(2023, 1, 31), Monthly())
    assert dates_of_daily_job(agenda, datetime(2023, 1, 1), 160) == [
        "2023-01-31",
        "2023-02-28",
        "2023-03-31",
        "2023-04-30",
        "2023-05-31",
    ]


def test_leap_day_survives_the_file():
    agenda = Agenda()
    agenda.add("party", datetime(2024, 2, 29), Yearly())
    agenda.run_due(datetime(2026, 6, 1))
    agenda = load(dump(agenda))
    agenda.run_due(datetime(2027, 6, 1))
    assert [event.when for event in load(dump(agenda))] == [datetime(2028, 2, 29)]


@pytest.mark.parametrize(
    ("kind", "following"),
    [
        pytest.param("monthly", datetime(2023, 3, 28), id="monthly"),
        pytest.param("yearly", datetime(2024, 2, 28), id="yearly"),
    ],
)
def test_old_file_goes_on_from_the_day_it_holds(kind, following):
    rule = {"kind": kind, "every": 1}
    agenda = load(json.dumps([{"name": "rent", "when": "2023-02-28T00:00:00", "repeats": rule}]))
    agenda.run_due(datetime(2023, 2, 28))
    assert [event.when for event in agenda] == [following]


def test_old_file_does_not_drift_from_the_day_it_holds():
    rule = {"kind": "monthly", "every": 1}
    agenda = load(json.dumps([{"name": "rent", "when": "2023-01-30T00:00:00", "repeats": rule}]))
    agenda.run_due(datetime(2023, 2, 28))
    assert [event.when for event in agenda] == [datetime(2023, 3, 30)]

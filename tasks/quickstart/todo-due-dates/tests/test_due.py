from datetime import date

import pytest

from todo import main


@pytest.fixture
def todo(tmp_path, capsys):
    """Run one command on a file of its own; returns exit status and output lines."""

    def run(*argv):
        path = tmp_path / "todo.json"
        try:
            status = main(["--file", str(path), *argv], today=lambda: date(2025, 3, 10))
        except SystemExit as end:
            status = end.code
        return status, capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def mixed(todo):
    """A list with and without dates; today is 2025-03-10."""
    todo("add", "No date")
    todo("add", "Later", "--due", "2025-12-01", "--tag", "home")
    todo("add", "Passed", "--due", "2025-03-09", "--tag", "home")
    todo("add", "Today", "--due", "2025-03-10")
    todo("add", "Long ago", "--due", "2024-11-30")
    return todo


def test_add_with_a_date(todo):
    line = "[ ] 1 Pay rent +home (due 2025-04-01)"
    assert todo("add", "Pay rent", "--due", "2025-04-01", "--tag", "home") == (0, [line])


def test_date_is_kept(todo):
    todo("add", "Pay rent", "--due", "2025-04-01")
    assert todo("list") == (0, ["[ ] 1 Pay rent (due 2025-04-01)"])


def test_date_can_be_given_later(todo):
    todo("add", "Pay rent")
    assert todo("due", "1", "2025-04-01") == (0, ["[ ] 1 Pay rent (due 2025-04-01)"])
    assert todo("list") == (0, ["[ ] 1 Pay rent (due 2025-04-01)"])


def test_date_can_be_changed(todo):
    todo("add", "Pay rent", "--due", "2025-04-01")
    assert todo("due", "1", "2025-04-03") == (0, ["[ ] 1 Pay rent (due 2025-04-03)"])


def test_date_can_be_taken_away(todo):
    todo("add", "Pay rent", "--due", "2025-04-01")
    assert todo("due", "1", "none") == (0, ["[ ] 1 Pay rent"])
    assert todo("list") == (0, ["[ ] 1 Pay rent"])


def test_done_shows_the_date(todo):
    todo("add", "Pay rent", "--due", "2025-04-01")
    assert todo("done", "1") == (0, ["[x] 1 Pay rent (due 2025-04-01)"])


def test_due_of_an_unknown_item(todo):
    assert todo("due", "7", "2025-04-01") == (1, [])


@pytest.mark.parametrize(
    "text", ["2025-02-30", "tomorrow", "01.04.2025"], ids=["no-such-day", "word", "other-form"]
)
def test_add_refuses_what_is_no_date(todo, text):
    todo("add", "Buy milk")
    assert todo("add", "Pay rent", "--due", text) == (2, [])
    assert todo("list") == (0, ["[ ] 1 Buy milk"])


@pytest.mark.parametrize(
    "text", ["2025-02-30", "tomorrow", "01.04.2025"], ids=["no-such-day", "word", "other-form"]
)
def test_due_refuses_what_is_no_date(todo, text):
    todo("add", "Pay rent", "--due", "2025-04-01")
    assert todo("due", "1", text) == (2, [])
    assert todo("list") == (0, ["[ ] 1 Pay rent (due 2025-04-01)"])


def test_earliest_date_is_listed_first(mixed):
    assert mixed("list") == (
        0,
        [
            "[ ] 5 Long ago (due 2024-11-30)",
            "[ ] 3 Passed +home (due 2025-03-09)",
            "[ ] 4 Today (due 2025-03-10)",
            "[ ] 2 Later +home (due 2025-12-01)",
            "[ ] 1 No date",
        ],
    )


def test_equal_dates_are_listed_by_number(todo):
    for text in ("One", "Two", "Three"):
        todo("add", text)
    todo("due", "3", "2025-04-01")
    todo("due", "2", "2025-04-01")
    assert todo("list") == (
        0,
        ["[ ] 2 Two (due 2025-04-01)", "[ ] 3 Three (due 2025-04-01)", "[ ] 1 One"],
    )


def test_all_items_are_ordered_by_date(mixed):
    mixed("done", "4")
    mixed("done", "1")
    _, lines = mixed("list", "--all")
    assert [line[:5] for line in lines] == ["[ ] 5", "[ ] 3", "[x] 4", "[ ] 2", "[x] 1"]


def test_tagged_items_are_ordered_by_date(mixed):
    _, lines = mixed("list", "--tag", "home")
    assert [line[:5] for line in lines] == ["[ ] 3", "[ ] 2"]


def test_overdue(mixed):
    assert mixed("list", "--overdue") == (
        0,
        ["[ ] 5 Long ago (due 2024-11-30)", "[ ] 3 Passed +home (due 2025-03-09)"],
    )


def test_overdue_with_a_tag(mixed):
    assert mixed("list", "--overdue", "--tag", "home") == (
        0,
        ["[ ] 3 Passed +home (due 2025-03-09)"],
    )


def test_done_items_are_never_overdue(mixed):
    mixed("done", "5")
    assert mixed("list", "--overdue", "--all") == (0, ["[ ] 3 Passed +home (due 2025-03-09)"])


def test_nothing_is_overdue(todo):
    todo("add", "Buy milk")
    assert todo("list", "--overdue") == (0, [])

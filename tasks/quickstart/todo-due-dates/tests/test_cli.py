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


def test_add_shows_the_item(todo):
    assert todo("add", "Buy milk") == (0, ["[ ] 1 Buy milk"])


def test_items_are_listed_by_number(todo):
    todo("add", "Buy milk")
    todo("add", "Water plants")
    assert todo("list") == (0, ["[ ] 1 Buy milk", "[ ] 2 Water plants"])


def test_nothing_to_list(todo):
    assert todo("list") == (0, [])


def test_done_items_are_not_listed(todo):
    todo("add", "Buy milk")
    assert todo("done", "1") == (0, ["[x] 1 Buy milk"])
    assert todo("list") == (0, [])


def test_all_items_are_listed(todo):
    todo("add", "Buy milk")
    todo("done", "1")
    assert todo("list", "--all") == (0, ["[x] 1 Buy milk"])


def test_tags(todo):
    todo("add", "Buy milk", "--tag", "shop", "--tag", "home")
    todo("add", "Water plants")
    assert todo("list", "--tag", "shop") == (0, ["[ ] 1 Buy milk +home +shop"])


def test_removed_numbers_are_not_given_again(todo):
    todo("add", "Buy milk")
    assert todo("rm", "1") == (0, ["removed: Buy milk"])
    assert todo("add", "Water plants") == (0, ["[ ] 2 Water plants"])


@pytest.mark.parametrize("command", ["done", "rm"])
def test_unknown_item(todo, command):
    assert todo(command, "7") == (1, [])


def test_item_without_text(todo):
    assert todo("add", "  ") == (1, [])


def test_number_that_is_none(todo):
    assert todo("done", "milk") == (2, [])

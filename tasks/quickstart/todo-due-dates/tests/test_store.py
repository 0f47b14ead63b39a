from datetime import date

import pytest

from todo import TodoList, load, main, save
from todo.errors import StoreError

SAVED = """{
  "version": 1,
  "next_number": 5,
  "items": [
    {"number": 1, "text": "Buy milk", "created": "2025-03-01", "done": true, "tags": []},
    {"number": 3, "text": "Water plants", "created": "2025-03-02", "done": false, "tags": ["home"]}
  ]
}
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "todo.json"


def test_missing_file_is_an_empty_list(path):
    assert len(load(path)) == 0


def test_saved_file(path):
    path.write_text(SAVED, encoding="utf-8")
    assert [(item.number, item.text, item.done, item.tags) for item in load(path)] == [
        (1, "Buy milk", True, ()),
        (3, "Water plants", False, ("home",)),
    ]


def test_next_number_is_kept(path):
    path.write_text(SAVED, encoding="utf-8")
    assert load(path).add("Call Jo", date(2025, 3, 3)).number == 5


def test_load_reads_what_was_saved(path):
    todo = TodoList()
    todo.add("Café ☕", date(2025, 3, 1), ["home"])
    todo.complete(1)
    save(todo, path)
    assert list(load(path)) == list(todo)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("milk", id="no-json"),
        pytest.param("[]", id="no-object"),
        pytest.param('{"version": 99, "items": []}', id="other-version"),
    ],
)
def test_other_files_are_refused(path, text):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError):
        load(path)


def test_older_file_can_get_dates(path, capsys):
    path.write_text(SAVED, encoding="utf-8")
    assert main(["--file", str(path), "due", "3", "2025-04-01"]) == 0
    capsys.readouterr()
    main(["--file", str(path), "list", "--all"])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["[ ] 3 Water plants +home (due 2025-04-01)", "[x] 1 Buy milk"]


def test_older_file_is_listed_as_before(path, capsys):
    path.write_text(SAVED, encoding="utf-8")
    main(["--file", str(path), "list", "--all"])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["[x] 1 Buy milk", "[ ] 3 Water plants +home"]

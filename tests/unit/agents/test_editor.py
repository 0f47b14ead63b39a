"""The editor, command by command."""

from pathlib import Path

import pytest

from evalkit.agents.calls import ToolError
from evalkit.agents.editor import Editor
from tests.doubles.local_sandbox import LocalSandbox


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\nthree\n")
    return path


def edit(file: Path, command: str, **arguments: object) -> str:
    editor = Editor(LocalSandbox(file.parent))
    return editor({"command": command, "path": str(file), **arguments})


def test_view_numbers_the_lines(file: Path) -> None:
    assert edit(file, "view").splitlines()[1] == "     2\ttwo"


def test_view_takes_a_range(file: Path) -> None:
    assert edit(file, "view", view_range=[2, 3]) == "     2\ttwo\n     3\tthree"


def test_a_range_may_end_at_the_end(file: Path) -> None:
    assert edit(file, "view", view_range=[3, -1]).splitlines()[0] == "     3\tthree"


def test_a_range_outside_the_file_is_refused(file: Path) -> None:
    with pytest.raises(ToolError, match="view_range"):
        edit(file, "view", view_range=[9, 12])


def test_view_of_a_folder_lists_it(file: Path) -> None:
    assert str(file) in edit(file.parent, "view")


def test_create_writes_the_text(file: Path) -> None:
    edit(file.with_name("sub") / "new.txt", "create", file_text="x\n")
    assert (file.parent / "sub" / "new.txt").read_text() == "x\n"


def test_str_replace_changes_the_one_place(file: Path) -> None:
    edit(file, "str_replace", old_str="two", new_str="2")
    assert file.read_text() == "one\n2\nthree\n"


def test_str_replace_without_new_str_deletes(file: Path) -> None:
    edit(file, "str_replace", old_str="two\n")
    assert file.read_text() == "one\nthree\n"


def test_str_replace_refuses_two_places(file: Path) -> None:
    with pytest.raises(ToolError, match="occurs 2 times"):
        edit(file, "str_replace", old_str="e\n", new_str="")


def test_str_replace_refuses_what_is_not_there(file: Path) -> None:
    with pytest.raises(ToolError, match="was not found"):
        edit(file, "str_replace", old_str="four", new_str="")


def test_insert_puts_lines_after_the_given_one(file: Path) -> None:
    edit(file, "insert", insert_line=1, new_str="one and a half")
    assert file.read_text() == "one\none and a half\ntwo\nthree\n"


def test_bytes_that_are_no_utf8_survive_an_edit(file: Path) -> None:
    file.write_bytes(b"caf\xe9\ntwo\n")
    edit(file, "str_replace", old_str="two", new_str="2")
    assert file.read_bytes() == b"caf\xe9\n2\n"


def test_a_relative_path_is_refused(file: Path) -> None:
    with pytest.raises(ToolError, match="not absolute"):
        Editor(LocalSandbox(file.parent))({"command": "view", "path": "a.txt"})


def test_rewrite_changes_the_file_viewed_last(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("def f():\n    return 1\n")
    editor = Editor(LocalSandbox(tmp_path))
    editor({"command": "view", "path": str(file)})
    editor.rewrite("def f():\n    return 2\n")
    assert file.read_text() == "def f():\n    return 2\n"


def test_rewrite_before_any_view_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="view the file first"):
        Editor(LocalSandbox(tmp_path)).rewrite("def f():\n    return 2\n")


def test_a_missing_file_is_told(file: Path) -> None:
    with pytest.raises(ToolError, match="No such file"):
        edit(file.with_name("none"), "view")

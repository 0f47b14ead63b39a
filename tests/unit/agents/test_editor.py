"""The editor, command by command."""

from pathlib import Path

import pytest

from evalkit.agents.calls import MalformedCallError, ToolError
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


@pytest.mark.parametrize(
    ("view_range", "said"),
    [
        ([0, 2], "begins at 0; 4 is the last"),
        ([9, 12], "begins at 9; 4 is the last"),
        ([2, 5], "ends at 5, past line 4"),
        ([3, 2], "ends at 2, before it begins at 3"),
        ([3, -2], "ends at -2, before it begins at 3"),
    ],
)
def test_a_range_outside_the_file_is_refused(file: Path, view_range: object, said: str) -> None:
    with pytest.raises(ToolError, match=said):
        edit(file, "view", view_range=view_range)


@pytest.mark.parametrize("view_range", [[1], [1, 2, 3], "1-2", [1, "x"], [1, 2.5], [True, 2]])
def test_a_range_that_is_none_is_malformed(file: Path, view_range: object) -> None:
    with pytest.raises(MalformedCallError, match="view_range"):
        edit(file, "view", view_range=view_range)


def test_numbers_may_come_as_text(file: Path) -> None:
    assert edit(file, "view", view_range=["2", "2"]) == "     2\ttwo"


def test_view_of_a_folder_lists_two_levels_without_what_is_hidden(file: Path) -> None:
    for path in ("sub/deep/deeper", ".hidden/x"):
        (file.parent / path).mkdir(parents=True)
    listed = edit(file.parent, "view").splitlines()
    assert [line.removeprefix(str(file.parent)) for line in listed] == [
        "", "/a.txt", "/sub", "/sub/deep",
    ]  # fmt: skip


def test_view_of_a_folder_takes_no_range(file: Path) -> None:
    with pytest.raises(ToolError, match="takes no view_range"):
        edit(file.parent, "view", view_range=[1, 2])


@pytest.mark.parametrize("command", ["str_replace", "insert", "undo_edit"])
def test_only_view_takes_a_folder(file: Path, command: str) -> None:
    with pytest.raises(ToolError, match="only `view` takes one"):
        edit(file.parent, command, old_str="a", new_str="b", insert_line=0)


def test_create_writes_the_text(file: Path) -> None:
    edit(file.with_name("new.txt"), "create", file_text="x\n")
    assert (file.parent / "new.txt").read_text() == "x\n"


def test_create_does_not_overwrite(file: Path) -> None:
    with pytest.raises(ToolError, match="exists already"):
        edit(file, "create", file_text="x\n")


def test_create_does_not_overwrite_a_folder(file: Path) -> None:
    with pytest.raises(ToolError, match="exists already"):
        edit(file.parent, "create", file_text="x\n")


def test_create_wants_its_folder_to_be_there(file: Path) -> None:
    with pytest.raises(ToolError, match=r"folder .*/sub does not exist"):
        edit(file.parent / "sub" / "new.txt", "create", file_text="x\n")


def test_create_without_text_is_malformed(file: Path) -> None:
    with pytest.raises(MalformedCallError, match="`file_text` is required"):
        edit(file.with_name("new.txt"), "create")


def test_str_replace_changes_the_one_place(file: Path) -> None:
    edit(file, "str_replace", old_str="two", new_str="2")
    assert file.read_text() == "one\n2\nthree\n"


def test_str_replace_without_new_str_deletes(file: Path) -> None:
    edit(file, "str_replace", old_str="two\n")
    assert file.read_text() == "one\nthree\n"


def test_str_replace_refuses_two_places(file: Path) -> None:
    with pytest.raises(ToolError, match="occurs 2 times, in lines 1, 3 in"):
        edit(file, "str_replace", old_str="e\n", new_str="")


def test_the_lines_of_a_long_text_are_those_where_it_begins(file: Path) -> None:
    file.write_text("a\nb\n\na\nb\n")
    with pytest.raises(ToolError, match="in lines 1, 4 in"):
        edit(file, "str_replace", old_str="a\nb", new_str="")


def test_str_replace_of_nothing_is_refused(file: Path) -> None:
    with pytest.raises(ToolError, match="must match exactly one place"):
        edit(file, "str_replace", old_str="", new_str="x")


def test_str_replace_with_the_same_is_refused(file: Path) -> None:
    with pytest.raises(ToolError, match="are the same"):
        edit(file, "str_replace", old_str="two", new_str="two")


def test_an_edit_is_shown_with_four_lines_around(file: Path) -> None:
    file.write_text("".join(f"{number}\n" for number in range(1, 21)))
    shown = edit(file, "str_replace", old_str="10\n", new_str="ten\n").splitlines()
    assert (shown[1], shown[-1]) == ("     6\t6", "    15\t15")


def test_str_replace_refuses_what_is_not_there(file: Path) -> None:
    with pytest.raises(ToolError, match="was not found"):
        edit(file, "str_replace", old_str="four", new_str="")


def test_insert_puts_lines_after_the_given_one(file: Path) -> None:
    edit(file, "insert", insert_line=1, new_str="one and a half")
    assert file.read_text() == "one\none and a half\ntwo\nthree\n"


def test_insert_takes_text_as_it_is(file: Path) -> None:
    edit(file, "insert", insert_line=0, new_str="zero\n")
    assert file.read_text() == "zero\n\none\ntwo\nthree\n"


def test_insert_past_the_end_is_refused(file: Path) -> None:
    with pytest.raises(ToolError, match="must be from 0 to 4"):
        edit(file, "insert", insert_line=5, new_str="x")


@pytest.mark.parametrize(
    "given", [{"new_str": "x"}, {"insert_line": 1}, {"new_str": "x", "insert_line": "one"}]
)
def test_insert_without_its_arguments_is_malformed(file: Path, given: dict[str, object]) -> None:
    with pytest.raises(MalformedCallError, match="is required"):
        edit(file, "insert", **given)


def test_an_unknown_command_is_malformed(file: Path) -> None:
    with pytest.raises(MalformedCallError, match="use one of view, create, str_replace, insert"):
        edit(file, "delete")


def test_tabs_survive_an_edit(file: Path) -> None:
    file.write_text("all:\n\ttrue\n")
    edit(file, "str_replace", old_str="all", new_str="any")
    assert file.read_text() == "any:\n\ttrue\n"


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

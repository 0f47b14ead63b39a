"""`undo_edit` takes edits back, the last one first."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.agents.calls import ToolError
from evalkit.agents.editor import Editor
from tests.doubles.local_sandbox import LocalSandbox


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n")
    return path


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    return Editor(LocalSandbox(tmp_path))


def do(editor: Editor, command: str, file: Path, **arguments: object) -> str:
    return editor({"command": command, "path": str(file), **arguments})


def test_the_last_edit_is_taken_back(editor: Editor, file: Path) -> None:
    do(editor, "str_replace", file, old_str="one", new_str="1")
    do(editor, "str_replace", file, old_str="two", new_str="2")
    do(editor, "undo_edit", file)
    assert file.read_text() == "1\ntwo\n"


def test_the_file_is_shown_as_it_reads_then(editor: Editor, file: Path) -> None:
    do(editor, "insert", file, insert_line=0, new_str="zero")
    assert do(editor, "undo_edit", file).splitlines()[1] == "     1\tone"


def test_without_an_edit_there_is_nothing_to_undo(editor: Editor, file: Path) -> None:
    with pytest.raises(ToolError, match=r"no edit of .*a\.txt to undo"):
        do(editor, "undo_edit", file)


def test_an_edit_that_failed_is_none(editor: Editor, file: Path) -> None:
    with pytest.raises(ToolError):
        do(editor, "str_replace", file, old_str="three", new_str="3")
    with pytest.raises(ToolError, match="no edit"):
        do(editor, "undo_edit", file)


def test_each_file_has_its_own_edits(editor: Editor, file: Path) -> None:
    other = file.with_name("b.txt")
    do(editor, "create", other, file_text="x")
    do(editor, "str_replace", file, old_str="one", new_str="1")
    with pytest.raises(ToolError, match=r"no edit of .*b\.txt"):
        do(editor, "undo_edit", other)


def test_a_file_that_is_gone_does_not_come_back(editor: Editor, file: Path) -> None:
    do(editor, "str_replace", file, old_str="one", new_str="1")
    file.unlink()
    with pytest.raises(ToolError, match="No such file"):
        do(editor, "undo_edit", file)


def test_a_file_made_anew_has_no_edits(editor: Editor, file: Path) -> None:
    do(editor, "str_replace", file, old_str="one", new_str="1")
    file.unlink()
    do(editor, "create", file, file_text="new")
    with pytest.raises(ToolError, match="no edit"):
        do(editor, "undo_edit", file)


def test_a_rewritten_function_can_be_taken_back(tmp_path: Path, editor: Editor) -> None:
    file = tmp_path / "a.py"
    file.write_text("def f():\n    return 1\n")
    do(editor, "view", file)
    editor.rewrite("def f():\n    return 2\n")
    do(editor, "undo_edit", file)
    assert file.read_text() == "def f():\n    return 1\n"


pieces = st.text(st.sampled_from("ab\t\n\r é"), max_size=6)
edits = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.integers(0, 9), pieces),
        st.tuples(st.just("str_replace"), pieces, pieces),
    ),
    max_size=6,
)


def apply(editor: Editor, file: Path, edit: tuple[str, object, str]) -> bool:
    """Try an edit; say whether the editor took it."""
    command, where, new = edit
    key = "insert_line" if command == "insert" else "old_str"
    try:
        do(editor, command, file, **{key: where, "new_str": new})
    except ToolError:
        return False
    return True


@given(content=st.binary(max_size=30), wanted=edits)
def test_as_many_undos_as_edits_restore_every_byte(
    content: bytes, wanted: list[tuple[str, object, str]]
) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.txt"
        file.write_bytes(content)
        editor = Editor(LocalSandbox(Path(folder)))
        for _ in [edit for edit in wanted if apply(editor, file, edit)]:
            do(editor, "undo_edit", file)
        assert file.read_bytes() == content

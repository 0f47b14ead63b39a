"""The editor where a sandbox's own shell answers for files and folders."""

import pytest

from evalkit.agents.calls import ToolError
from evalkit.agents.editor import Editor
from evalkit.sandbox.rollout import DockerSandbox


@pytest.fixture
def editor(box: DockerSandbox) -> Editor:
    box.run("rm -rf /tmp/edited; mkdir -p /tmp/edited/.hidden /tmp/edited/sub", timeout_s=20)
    box.write_file("/tmp/edited/a.txt", b"one\ntwo\n")
    return Editor(box)


def do(editor: Editor, command: str, path: str = "/tmp/edited/a.txt", **arguments: object) -> str:
    return editor({"command": command, "path": path, **arguments})


def test_undo_restores_the_file(editor: Editor, box: DockerSandbox) -> None:
    do(editor, "str_replace", old_str="one", new_str="1")
    do(editor, "insert", insert_line=0, new_str="zero")
    do(editor, "undo_edit")
    do(editor, "undo_edit")
    assert box.read_file("/tmp/edited/a.txt") == b"one\ntwo\n"


def test_a_folder_is_listed_without_what_is_hidden(editor: Editor) -> None:
    listed = do(editor, "view", "/tmp/edited").split()
    assert listed == ["/tmp/edited", "/tmp/edited/a.txt", "/tmp/edited/sub"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/tmp/edited/a.txt", "exists already"),
        ("/tmp/edited/sub", "exists already"),
        ("/dev/null", "exists already"),
        ("/tmp/edited/none/a.txt", "folder /tmp/edited/none does not exist"),
    ],
)
def test_create_makes_new_files_in_folders_that_are_there(
    editor: Editor, path: str, said: str
) -> None:
    with pytest.raises(ToolError, match=said):
        do(editor, "create", path, file_text="x")


def test_create_at_the_root(editor: Editor, box: DockerSandbox) -> None:
    box.run("rm -f /new.txt", timeout_s=20)
    do(editor, "create", "/new.txt", file_text="x")
    assert box.read_file("/new.txt") == b"x"


def test_only_view_takes_a_folder(editor: Editor) -> None:
    with pytest.raises(ToolError, match="only `view` takes one"):
        do(editor, "insert", "/tmp/edited", insert_line=0, new_str="x")

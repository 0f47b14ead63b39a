from hypothesis import given
from hypothesis import strategies as st

from evalkit.reporting.html.diff import Block, patch_files

PATCH = """diff --git a/src/a.py b/src/a.py
--- a/src/a.py
+++ b/src/a.py
@@ -1,3 +1,3 @@ def f():
 same
--- a comment in SQL
+new
+new
diff --git a/b b/b
deleted file mode 100644
"""
LINES = st.sampled_from(
    [
        "diff --git a/x b/x",
        "--- a/x",
        "+++ b/x",
        "@@ -1 +1 @@",
        "+a",
        "-b",
        " c",
        "",
        "\\ No newline",
    ]
)


@given(st.lists(LINES).map("\n".join))
def test_blocks_together_are_the_patch(patch: str) -> None:
    assert "".join(block.text for one in patch_files(patch) for block in one.blocks) == patch


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    assert "".join(block.text for one in patch_files(text) for block in one.blocks) == text


def test_files_are_told_apart() -> None:
    assert [one.name for one in patch_files(PATCH)] == ["src/a.py", "b"]


def test_lines_are_counted() -> None:
    assert [(one.added, one.removed) for one in patch_files(PATCH)] == [(2, 1), (0, 0)]


def test_a_line_that_looks_like_a_heading_within_a_hunk_is_a_line() -> None:
    blocks = next(patch_files(PATCH)).blocks
    assert Block("del", "--- a comment in SQL\n") in blocks


def test_headings_stand_apart() -> None:
    assert [block.kind for block in next(patch_files(PATCH)).blocks] == [
        "head", "hunk", "same", "del", "add",
    ]  # fmt: skip


def test_an_empty_patch_has_no_files() -> None:
    assert list(patch_files("")) == []

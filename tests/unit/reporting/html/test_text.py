from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import StoreError
from evalkit.reporting.host_paths import without_host_paths
from evalkit.reporting.html.text import (
    excerpt,
    file_excerpt,
    lines_of,
    plain,
    visible,
)

ANYTHING = st.text(st.characters(codec=None))


@given(ANYTHING)
def test_what_is_shown_can_always_be_written(text: str) -> None:
    assert visible(text).encode("utf-8").decode() == visible(text)


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_letters_figures_and_signs_are_left_alone(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("\x00", "␀"),
        ("\x1b", "␛"),
        ("\x7f", "␡"),
        ("\r", "␍"),
        ("\u202e", "⟨U+202E⟩"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("\ud800", "\ufffd"),
        ("\U000e0041", "⟨U+E0041⟩"),
    ],
)
def test_what_would_be_invisible_is_shown_as_a_sign(hidden: str, shown: str) -> None:
    assert visible(f"a{hidden}b") == f"a{shown}b"


def test_tabs_and_newlines_stay() -> None:
    assert visible("a\tb\n") == "a\tb\n"


def test_an_emoji_of_several_parts_stays_whole() -> None:
    assert visible("👩\u200d🔬") == "👩\u200d🔬"


def test_colours_of_a_terminal_are_left_out() -> None:
    assert plain("\x1b[31;1mred\x1b[0m\x1b[K") == "red"


@pytest.mark.row("H9")
@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("cannot read /home/jane/runs/a/run.json: gone", "cannot read …/run.json: gone"),
        ("model /data/weights/abc", "model …/abc"),
        ('["/home/jane/.cache/python", "-m"]', '["…/python", "-m"]'),
        ("file:///home/jane/x.html", "…/x.html"),
        ("/home/jane/runs/", "…/"),
    ],
)
def test_of_a_hosts_path_the_last_part_stays(told: str, shown: str) -> None:
    assert without_host_paths(told) == shown


@pytest.mark.parametrize(
    "text",
    ["tests/unit/test_a.py::test_b", "http://127.0.0.1:8000/v1/models", "3/4", "and/or", "a / b"],
)
def test_what_is_no_path_of_a_host_is_left_alone(text: str) -> None:
    assert without_host_paths(text) == text


@given(st.text("ab\n", max_size=50), st.integers(2, 60))
def test_nothing_of_a_text_is_lost_uncounted(text: str, most: int) -> None:
    cut = excerpt(text, most)
    assert len(cut.head) + len(cut.tail) + cut.left_out == len(text)


def test_a_short_text_is_whole() -> None:
    assert excerpt("abc", 3) == ("abc", "", 0)


def test_of_a_long_text_begin_and_end_stay() -> None:
    assert excerpt("abcdef", 4) == ("ab", "ef", 2)


def test_of_a_long_file_begin_and_end_stay(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"abcdef")
    assert file_excerpt(tmp_path / "log", 4) == ("ab", "ef", 2)


def test_bytes_that_are_no_text_do_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"a\xff\xfeb")
    assert file_excerpt(tmp_path / "log", 10) == ("a\ufffd\ufffdb", "", 0)


def test_a_file_that_is_not_there_has_no_text(tmp_path: Path) -> None:
    assert file_excerpt(tmp_path / "log", 4) is None


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    with pytest.raises(StoreError, match=r"cannot read .*log"):
        file_excerpt(tmp_path / "log", 4)


@given(ANYTHING)
def test_lines_together_are_the_text(text: str) -> None:
    assert "".join(lines_of(text)) == text


def test_only_a_newline_ends_a_line() -> None:
    assert list(lines_of("a\x0cb\u2028c\r\nd")) == ["a\x0cb\u2028c\r\n", "d"]

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.suites.pro.rows import parse_names

text = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(text))
def test_a_list_written_as_json_comes_back_unchanged(names: list[str]) -> None:
    assert parse_names(json.dumps(names)) == tuple(names)


@given(st.lists(text))
def test_a_list_written_as_python_comes_back_unchanged(names: list[str]) -> None:
    assert parse_names(repr(names)) == tuple(names)


@given(st.lists(text))
def test_a_list_with_raw_letters_in_json_comes_back_unchanged(names: list[str]) -> None:
    assert parse_names(json.dumps(names, ensure_ascii=False)) == tuple(names)


def test_json_is_tried_first() -> None:
    assert parse_names(r'["a\/b"]') == ("a/b",)


@pytest.mark.parametrize(
    "text",
    [
        '"a"',
        "{}",
        "[1]",
        "['a', None]",
        "('a',)",
        "",
        "a, b",
        "[a]",
        "[" * 100_000,
        "{[]: 1}",
        "['\0']",
    ],
)
def test_anything_but_a_list_of_strings_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"list of strings|neither JSON nor"):
        parse_names(text)


@pytest.mark.parametrize("value", [None, 3, ["a"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="list of strings"):
        parse_names(value)


def test_nothing_is_evaluated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="neither JSON nor"):
        parse_names("[print('ran')]")
    assert capsys.readouterr().out == ""

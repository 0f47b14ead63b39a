"""Whole functions put in the place of their namesakes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.agents.calls import ToolError
from evalkit.agents.rewrite import rewrite

SOURCE = '''"""A module."""

import re


@cached
def first(a):
    return a - 1


class Thing:
    def second(self):
        # why
        return 2
'''


def test_a_function_takes_the_place_of_its_namesake() -> None:
    source, _ = rewrite(SOURCE, "def first(a):\n    return a + 1\n")
    assert source == SOURCE.replace("a - 1", "a + 1")


def test_a_method_is_indented_as_it_stood() -> None:
    source, _ = rewrite(SOURCE, "def second(self):\n    # why\n    return 3\n")
    assert source == SOURCE.replace("return 2", "return 3")


def test_an_indented_block_is_read() -> None:
    source, _ = rewrite(SOURCE, "    def second(self):\n        # why\n        return 3\n")
    assert source == SOURCE.replace("return 2", "return 3")


def test_given_decorators_replace_the_old_ones() -> None:
    source, _ = rewrite(SOURCE, "@other\ndef first(a):\n    return a - 1\n")
    assert source == SOURCE.replace("@cached", "@other")


def test_imports_around_the_function_are_left_out() -> None:
    source, _ = rewrite(SOURCE, "import os\n\n\ndef first(a):\n    return a\n")
    assert "import os" not in source


def test_only_what_changed_is_named() -> None:
    code = SOURCE.replace("a - 1", "a + 1")
    assert rewrite(SOURCE, code)[1] == ["first"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = 1", "defines no function"),
        ("def first(a:", "not valid Python"),
        ("def third():\n    pass", "nowhere"),
        ("@cached\ndef first(a):\n    return a - 1", "already holds"),
    ],
)
def test_what_cannot_be_put_in_is_told(code: str, told: str) -> None:
    with pytest.raises(ToolError, match=told):
        rewrite(SOURCE, code)


def test_a_name_that_is_defined_twice_is_refused() -> None:
    with pytest.raises(ToolError, match="2 times"):
        rewrite(SOURCE + SOURCE, "def first(a):\n    return 0")


@given(st.text())
def test_any_text_is_taken_or_refused(code: str) -> None:
    try:
        rewrite(SOURCE, code)
    except ToolError:
        return
    pytest.fail("no text that Hypothesis writes defines `first`")

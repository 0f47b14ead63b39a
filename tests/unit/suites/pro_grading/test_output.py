"""What counts in an output.json: row C6, and names with several entries (C9)."""

import json
from typing import Any

import pytest

from evalkit.suites.pro.grading import read_output
from evalkit.types import TestStatus


def output(*entries: Any) -> bytes:
    return json.dumps({"tests": list(entries)}).encode()


def entry(name: object, status: object) -> dict[str, object]:
    return {"name": name, "status": status}


PASSED = entry("a", "PASSED")


@pytest.mark.parametrize("status", TestStatus)
def test_a_status_is_read(status: TestStatus) -> None:
    assert read_output(output(entry("a", status.value))) == {"a": status}


@pytest.mark.parametrize("entries", [["PASSED", "FAILED"], ["FAILED", "PASSED"]])
def test_any_passed_entry_of_a_name_wins(entries: list[str]) -> None:
    found = read_output(output(*(entry("a", status) for status in entries)))
    assert found["a"] is TestStatus.PASSED


def test_the_last_entry_counts_where_none_passed() -> None:
    found = read_output(output(entry("a", "FAILED"), entry("a", "SKIPPED")))
    assert found["a"] is TestStatus.SKIPPED


@pytest.mark.parametrize("status", ["passed", "PASSED ", "XPASS", None, 1, ["PASSED"], {}])
def test_any_other_status_is_not_passed(status: object) -> None:
    assert read_output(output(entry("a", status)))["a"] is TestStatus.ERROR


@pytest.mark.parametrize("name", ["a b", "a::b[c]", "é", "a\nb", "", " a", "\0", "x" * 1_000_000])
def test_names_are_exact(name: str) -> None:
    assert list(read_output(output(entry(name, "PASSED")))) == [name]


DEEP = b'{"tests":' + b"[" * 200_000 + b"]" * 200_000 + b"}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b'"tests"',
        b"{}",
        b'{"tests": null}',
        b'{"tests": 3}',
        b'{"tests": "PASSED"}',
        b'{"tests": {"name": "a", "status": "PASSED"}}',
        b'{"tests": [{"name": "a", "status": "PASSED"}]',
        b'{"tests": [{"name": "a", "status": "PASSED"}]} x',
        b'{"tests": [{"name": "a", "status": "PASSED", "status": "x", "name": []}, 3]}',
        b'{"tests": [{"name": "\xff", "status": "PASSED"}]}',
        b'\xef\xbb\xbf{"tests": [{"name": "a", "status": "PASSED"}]}',
        b'{"tests": [{"name": "a\nb", "status": "PASSED"}]}',
        b"\0" * 100,
        b'{"tests": [], "n": ' + b"9" * 5000 + b"}",
        DEEP,
        output(PASSED, "a"),
        output(PASSED, None),
        output(PASSED, {"name": "b"}),
        output(PASSED, {"status": "PASSED"}),
        output(PASSED, entry(["b"], "PASSED")),
        output(PASSED, entry({}, "PASSED")),
    ],
)
def test_what_the_official_evaluator_stumbles_over_is_no_result(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them will do
        read_output(content)


def test_of_two_lists_the_last_counts() -> None:
    assert read_output(b'{"tests": [{"name": "a", "status": "PASSED"}], "tests": []}') == {}


@pytest.mark.parametrize(
    "entries",
    [
        [PASSED, {"status": "FAILED"}],
        [PASSED, entry(["b"], "FAILED")],
        [PASSED, entry(3, "PASSED")],
        [PASSED, entry(None, "PASSED")],
        [PASSED, entry(float("nan"), "PASSED")],
        [PASSED, entry("\ud800", "PASSED")],
    ],
)
def test_what_it_passes_over_costs_no_other_entry(entries: list[Any]) -> None:
    assert read_output(output(*entries)) == {"a": TestStatus.PASSED}

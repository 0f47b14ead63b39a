"""JUnit files, honest and hostile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.suites.junit import read_statuses
from evalkit.types import TestStatus


def junit(*cases: str) -> bytes:
    return f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>".encode()


def case(name: str, classname: str = "tests.test_a", inner: str = "") -> str:
    return (
        f'<testcase file="tests/test_a.py" classname="{classname}" name="{name}">{inner}</testcase>'
    )


def test_a_case_without_children_passed() -> None:
    assert read_statuses(junit(case("test_x"))) == {"tests/test_a.py::test_x": TestStatus.PASSED}


def test_a_class_is_part_of_the_node_id() -> None:
    statuses = read_statuses(junit(case("test_x", "tests.test_a.TestY")))
    assert list(statuses) == ["tests/test_a.py::TestY::test_x"]


def test_parameters_stay_in_the_name() -> None:
    assert list(read_statuses(junit(case("test_x[1-a]")))) == ["tests/test_a.py::test_x[1-a]"]


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ("failure", TestStatus.FAILED),
        ("error", TestStatus.ERROR),
        ("skipped", TestStatus.SKIPPED),
    ],
)
def test_a_child_tells_the_status(tag: str, status: TestStatus) -> None:
    assert list(read_statuses(junit(case("test_x", inner=f"<{tag}/>"))).values()) == [status]


def test_a_name_reported_twice_counts_as_its_worst_report() -> None:
    both = junit(case("test_x", inner="<failure/>"), case("test_x"))
    assert list(read_statuses(both).values()) == [TestStatus.FAILED]


def test_an_expanding_entity_is_no_evidence() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + junit(case("test_x"))
    assert read_statuses(bomb) == {}


def test_half_a_file_is_no_evidence() -> None:
    assert read_statuses(junit(case("test_x"))[:-20]) == {}


@given(st.binary())
def test_any_bytes_are_read_without_a_crash(content: bytes) -> None:
    assert isinstance(read_statuses(content), dict)

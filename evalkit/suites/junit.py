"""pytest's JUnit file (family xunit1) to the status of each node id."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring

from evalkit.types import TestStatus

# Worst first: a name reported twice counts as its worst report.
_SEVERITY = (TestStatus.ERROR, TestStatus.FAILED, TestStatus.SKIPPED, TestStatus.PASSED)
_CHILD_STATUS = {
    "error": TestStatus.ERROR,
    "failure": TestStatus.FAILED,
    "skipped": TestStatus.SKIPPED,
}


def read_statuses(xml: bytes) -> dict[str, TestStatus]:
    """Return node id to status; empty where the bytes are no JUnit file.

    The file was written by a process that also ran the code under test, so it is read as hostile:
    a document type (entity expansion) is refused, anything unparsable is no evidence.
    """
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        return {}
    try:
        root = fromstring(xml)  # noqa: S314 - entities are refused above
    except (ParseError, UnicodeDecodeError, ValueError, LookupError):
        return {}
    statuses: dict[str, TestStatus] = {}
    for name, status in _cases(root):
        known = statuses.get(name, status)
        statuses[name] = min(known, status, key=_SEVERITY.index)
    return statuses


def _cases(root: Element) -> Iterator[tuple[str, TestStatus]]:
    for case in root.iter("testcase"):
        status = TestStatus.PASSED
        for child in case:
            reported = _CHILD_STATUS.get(child.tag, status)
            status = min(status, reported, key=_SEVERITY.index)
        yield _node_id(case), status


def _node_id(case: Element) -> str:
    """`tests/test_x.py`, `tests.test_x.TestY`, `test_z` become `tests/test_x.py::TestY::test_z`."""
    file = case.get("file", "")
    module = file.removesuffix(".py").replace("/", ".")
    classes = case.get("classname", "").removeprefix(module).strip(".")
    parts = [file, *classes.split("."), case.get("name", "")]
    return "::".join(part for part in parts if part)

"""Every row that is asked for has a test; what an agent may do, one with real containers."""

import ast
from pathlib import Path

import pytest

from tests.rows import ROW, WANTED, table

TESTS = Path(__file__).parents[2]


def _shown(folder: Path) -> set[str]:
    """Rows in marks and in the ids of parameters: both are texts that begin with one."""
    texts = (
        node.value
        for path in folder.rglob("test_*.py")
        if path != Path(__file__)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {found[1] for text in texts if (found := ROW.match(text))}


@pytest.mark.parametrize("row", WANTED)
def test_a_row_has_a_test(row: str) -> None:
    assert row in _shown(TESTS / "docker" if row < "F" else TESTS)


def test_a_row_with_one_failure_is_red() -> None:
    lines = table([("A1", True), ("A1", False)])
    assert [line.split()[-3:] for line in lines if line.startswith("A1 ")] == [["1", "1", "RED"]]


def test_a_row_without_a_test_is_told() -> None:
    assert all(line.endswith("not run") for line in table([])[1:])

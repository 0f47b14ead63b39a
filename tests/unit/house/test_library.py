from pathlib import Path

import pytest

from evalkit.reporting import charts
from evalkit.reporting.frames import ATTEMPTS, ENGINE, TESTS, TURNS

PAGE = (Path(__file__).parents[3] / "docs" / "library.md").read_text(encoding="utf-8")
TABLES = {"attempts": ATTEMPTS, "turns": TURNS, "tests": TESTS, "engine": ENGINE}


def _section(table: str) -> str:
    return PAGE.split(f"### `{table}`")[1].split("\n#")[0]


@pytest.mark.parametrize("table", list(TABLES))
def test_every_column_is_documented(table: str) -> None:
    assert [name for name in TABLES[table] if f"`{name}`" not in _section(table)] == []


def test_every_chart_is_documented() -> None:
    assert [
        name for name in charts.__all__ if f"{name}(" not in PAGE and name != "write_charts"
    ] == []

import csv
from pathlib import Path

import pytest

from evalkit.config.content import content_names, content_root

CHECKOUT = Path(__file__).parents[3]


def test_a_checkout_reads_its_own_top_level_folders() -> None:
    assert content_root() == CHECKOUT


@pytest.mark.parametrize("kind", ["tasks", "runners", "reports"])
def test_the_folder_is_there(kind: str) -> None:
    assert any((content_root() / kind).iterdir())


def test_quickstart_is_among_the_suites() -> None:
    assert "quickstart" in content_names("tasks")


def test_every_published_row_names_its_source() -> None:
    bare = []
    for path in (CHECKOUT / "reports" / "published").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            bare += [(path.name, row) for row in csv.DictReader(file) if not row["source"]]
    assert bare == []

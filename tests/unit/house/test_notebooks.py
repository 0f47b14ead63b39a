import json
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[3]
NOTEBOOKS = sorted((CHECKOUT / "reports").glob("*.ipynb"))


def _cells(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def test_there_are_notebooks() -> None:
    assert {path.stem for path in NOTEBOOKS} >= {"swebench_pro", "compare_runs", "throughput"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_carries_no_output(path: Path) -> None:
    code = [cell for cell in _cells(path) if cell["cell_type"] == "code"]
    left = [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None]
    assert left == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_one_cell_of_parameters(path: Path) -> None:
    tags = [cell["metadata"].get("tags", []) for cell in _cells(path)]
    assert sum("parameters" in one for one in tags) == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_tells_nothing_of_who_ran_it(path: Path) -> None:
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    assert set(metadata) == {"kernelspec", "language_info"}

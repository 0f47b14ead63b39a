"""A run folder that is being written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evalkit.store import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    with RunFolder(tmp_path / "run") as folder:
        folder.describe(model="m")
        yield folder

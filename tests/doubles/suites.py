"""Quickstart's tasks in a folder of their own, with a test more."""

import shutil
from pathlib import Path

from evalkit.config.content import content_root

SLOW_S = 5
SLOW_TEST = f"""

def test_that_takes_its_time():
    __import__("os").system("exec sleep {SLOW_S}")
"""
"""Its program is to be seen among those of the container: `sleep SLOW_S`."""


def own_quickstart(folder: Path, file: str, test: str) -> Path:
    """Copy the suite to a folder, with a test at the end of `TASK/tests/test_*.py`."""
    suite = folder / "suite"
    shutil.copytree(content_root() / "tasks" / "quickstart", suite)
    path = suite / file
    path.write_text(path.read_text() + test)
    return suite

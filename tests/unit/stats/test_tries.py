import subprocess
import sys

import pytest
from pydantic import ValidationError

from tests.unit.stats.conftest import tries


def test_no_more_than_all_attempts_can_be_resolved() -> None:
    with pytest.raises(ValidationError, match="cannot be resolved"):
        tries("a", 2, 1)


def test_a_task_without_an_attempt_is_none() -> None:
    with pytest.raises(ValidationError):
        tries("a", 0, 0)


def test_what_a_run_needs_of_statistics_loads_neither_scipy_nor_numpy() -> None:
    code = "import sys, evalkit.stats; print({'scipy', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

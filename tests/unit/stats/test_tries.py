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


def test_statistics_load_neither_scipy_nor_numpy_before_they_are_asked_for() -> None:
    assert _loaded("evalkit.stats") == "set()\n"


def test_a_run_and_its_results_load_no_scipy() -> None:
    assert "scipy" not in _loaded("evalkit.cli.run", "evalkit.reporting.charts")


def _loaded(*modules: str) -> str:
    code = f"import sys, {', '.join(modules)}; print({{'scipy', 'numpy'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout

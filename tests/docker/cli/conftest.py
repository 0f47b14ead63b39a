"""The command line as its user runs it, against the real daemon."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from evalkit.cli.wiring import environment

Evalkit = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def evalkit() -> Evalkit:
    def run(
        *arguments: str, extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "evalkit", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**environment(), "COLUMNS": "140", **(extra or {})},
            timeout=300,
        )

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs") / "run"

"""Reports, written once for all tests that read them."""

from pathlib import Path

import pytest

from evalkit.reporting.html.report import write_report
from tests.doubles.hostile_run import HARMLESS, write_hostile_run


def report_of(*paths: Path, folder: Path) -> Path:
    write_report(paths, folder, lambda *_: None)
    return folder


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run whose every text is an attack."""
    run = write_hostile_run(tmp_path_factory.mktemp("hostile"))
    return report_of(run, folder=run / "report")


@pytest.fixture(scope="session")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of its twin, whose texts are as long and hold no sign."""
    run = write_hostile_run(tmp_path_factory.mktemp("harmless"), HARMLESS)
    return report_of(run, folder=run / "report")

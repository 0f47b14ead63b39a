"""Reports on disk, and the browsers that open them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from evalkit.reporting.html.report import write_report
from tests.doubles.browsers import Firefox, chromium, firefox
from tests.doubles.hostile_run import write_hostile_run
from tests.doubles.large_run import write_large_run


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run of 40 made-up tasks."""
    run = tmp_path_factory.mktemp("run") / "run"
    write_large_run(run, tasks=40, turns=10)
    write_report([run], run / "report", lambda *_: None)
    return run / "report"


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run whose every text is an attack."""
    run = write_hostile_run(tmp_path_factory.mktemp("hostile"))
    write_report([run], run / "report", lambda *_: None)
    return run / "report"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a window of its own."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


@pytest.fixture(scope="module")
def fox() -> Iterator[Firefox]:
    with firefox() as fox:
        yield fox

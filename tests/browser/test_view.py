"""What `evalkit view` serves, in Chromium, while a run goes on."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from evalkit.reporting.html.serve import Server
from evalkit.reporting.html.site import Site
from evalkit.store import RunFolder
from tests.doubles.finished import make_finished


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunFolder]:
    """A run of two tasks that is being written."""
    with RunFolder(tmp_path / "run") as store:
        store.describe(suite="quickstart", model="Demo", selected=["demo", "other"], attempts=1)
        store.finish(make_finished())
        yield store


@pytest.fixture
def server(store: RunFolder, tmp_path: Path) -> Iterator[Server]:
    with Server(Site(store.path, tmp_path / "made"), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def url(server: Server) -> str:
    return server.url


def test_it_opens_without_a_complaint(page: Page, url: str) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(url)
    # A browser asks for a picture of the site by itself; there is none.
    assert [text for text in told if "404" not in text] == []


def test_the_page_fetches_what_is_new_by_itself(
    page: Page, server: Server, store: RunFolder
) -> None:
    page.clock.install()
    page.goto(server.url)
    server.site._next = 0.0  # the pause after the first reading is over
    store.finish(make_finished(task_id="other"))
    with page.expect_navigation():
        page.clock.fast_forward(10_000)
    expect(page.locator("#table tbody a")).to_have_count(2)


def test_who_is_writing_a_filter_is_not_disturbed(page: Page, url: str) -> None:
    page.clock.install()
    page.goto(url)
    page.get_by_label("Filter").fill("demo")
    page.evaluate("window.stayed = true")
    page.clock.fast_forward(60_000)
    assert page.evaluate("window.stayed") is True


def test_an_attempt_opens(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("link", name="demo").click()
    expect(page.get_by_role("heading", name="Patch")).to_be_visible()

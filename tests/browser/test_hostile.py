"""Row H1 in Chromium: a run whose every text is an attack is read, and nothing else happens."""

from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, Request

from tests.doubles.hostile_run import PAYLOAD

pytestmark = pytest.mark.row("H1")
PAGES = ("index.html", "attempts/1_demo.html")
_HANDLERS = """() => Array.from(document.querySelectorAll('*')).flatMap(one =>
    Array.from(one.attributes).map(a => a.name).filter(name => name.startsWith('on')))"""
_KINDS = (
    "() => Array.from(new Set(Array.from(document.querySelectorAll('*')).map(one => one.tagName)))"
)
STRANGE = {
    "IFRAME",
    "OBJECT",
    "EMBED",
    "BASE",
    "SVG",
    "MATH",
    "TEXTAREA",
    "STYLE",
    "VIDEO",
    "TEMPLATE",
}


@pytest.fixture
def happened(page: Page) -> list[str]:
    """What a page did that no page of ours does."""
    told: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        told.append("a dialog opened")
        dialog.dismiss()

    def note(request: Request) -> None:
        if not request.url.startswith("file:"):
            told.append(request.url)

    page.on("dialog", dismiss)
    page.on("request", note)
    page.on("pageerror", lambda error: told.append(f"error: {error}"))
    page.on("console", lambda message: told.append(f"console: {message.text}"))
    page.on("popup", lambda _: told.append("a window opened"))
    return told


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_opens_or_is_asked_for(
    name: str, page: Page, hostile: Path, happened: list[str]
) -> None:
    page.goto((hostile / name).as_uri())
    for summary in page.locator("summary").all():
        summary.click()
    page.wait_for_timeout(300)
    assert (happened, page.url) == ([], (hostile / name).as_uri())


@pytest.mark.parametrize("name", PAGES)
def test_the_title_is_the_pages_own(name: str, page: Page, hostile: Path) -> None:
    page.goto((hostile / name).as_uri())
    assert page.title() not in {"", "HIT"}


@pytest.mark.parametrize("name", PAGES)
def test_no_element_is_of_a_strange_kind_or_handles_events(
    name: str, page: Page, hostile: Path
) -> None:
    page.goto((hostile / name).as_uri())
    strange = STRANGE & {kind.upper() for kind in page.evaluate(_KINDS)}
    assert (strange, page.evaluate(_HANDLERS)) == (set(), [])


@pytest.mark.parametrize("name", PAGES)
def test_the_payload_is_text(name: str, page: Page, hostile: Path) -> None:
    page.goto((hostile / name).as_uri())
    assert PAYLOAD in str(page.evaluate("document.body.textContent"))


def test_sorting_and_filtering_make_no_elements_of_it(
    page: Page, hostile: Path, happened: list[str]
) -> None:
    page.goto((hostile / "index.html").as_uri() + "#words=%3Cimg+src=x+onerror=alert(1)%3E")
    page.get_by_label("Filter").fill(PAYLOAD)
    for button in page.locator("th button:visible").all():
        button.click()
    page.reload()
    assert (happened, page.evaluate(_HANDLERS)) == ([], [])

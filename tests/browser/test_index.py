"""The first page, in Chromium, from its file."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.columns import column

OUTCOMES = {"resolved", "unresolved", "no patch", "patch rejected", "test timeout", "infra error"}


@pytest.fixture
def index(page: Page, report: Path) -> Page:
    page.goto((report / "index.html").as_uri())
    return page


def test_it_opens_without_a_complaint(page: Page, report: Path) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto((report / "index.html").as_uri())
    assert told == []


def test_it_asks_for_nothing_but_its_own_files(page: Page, report: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((report / "index.html").as_uri())
    assert [url for url in asked if not url.startswith(report.as_uri())] == []


def test_its_charts_are_drawn(index: Page) -> None:
    widths = index.locator("img").evaluate_all("images => images.map(one => one.naturalWidth)")
    assert widths
    assert min(widths) > 0


def test_its_style_holds(index: Page) -> None:
    assert (
        index.locator(".outcome").first.evaluate("one => getComputedStyle(one).fontWeight") == "600"
    )


def test_numbers_are_sorted_greatest_first(index: Page) -> None:
    index.get_by_role("button", name="turns").click()
    turns = [int(text) for text in column(index, "turns")]
    assert turns == sorted(turns, reverse=True)


def test_a_second_click_turns_the_order(index: Page) -> None:
    for _ in range(2):
        index.get_by_role("button", name="tokens out").click()
    tokens = [int(text.replace(",", "")) for text in column(index, "tokens out")]
    assert tokens == sorted(tokens)


def test_texts_are_sorted_by_letter(index: Page) -> None:
    index.get_by_role("button", name="repository").click()
    repositories = [text.lower() for text in column(index, "repository")]
    assert repositories == sorted(repositories)


def test_which_column_is_sorted_is_told_to_a_screen_reader(index: Page) -> None:
    index.get_by_role("button", name="turns").click()
    sorted_by = index.locator("th[aria-sort]")
    assert [(one.inner_text(), one.get_attribute("aria-sort")) for one in sorted_by.all()] == [
        ("turns", "descending")
    ]


def test_the_keyboard_sorts(index: Page) -> None:
    index.get_by_role("button", name="turns").focus()
    index.keyboard.press("Enter")
    expect(index.locator("th[aria-sort=descending]")).to_have_text("turns")


def test_words_filter(index: Page) -> None:
    index.get_by_label("Filter").fill("relay GO")
    assert set(column(index, "repository")) == {"umbra/relay"}


def test_how_many_are_left_is_told(index: Page) -> None:
    index.get_by_label("Filter").fill("relay")
    expect(index.get_by_role("status")).to_have_text("10 of 40 attempts")


def test_an_outcome_filters_and_is_not_taken_for_part_of_another(index: Page) -> None:
    index.get_by_label("Outcome").select_option("resolved")
    assert set(column(index, "outcome")) == {"resolved"}


def test_the_address_keeps_what_was_filtered_and_sorted(index: Page) -> None:
    index.get_by_label("Filter").fill("ledger")
    index.get_by_role("button", name="turns").click()
    index.reload()
    turns = [int(text) for text in column(index, "turns")]
    assert (index.get_by_label("Filter").input_value(), turns) == (
        "ledger",
        sorted(turns, reverse=True),
    )


def test_outcomes_are_told_in_words(index: Page) -> None:
    assert set(column(index, "outcome")) <= OUTCOMES


@pytest.mark.parametrize("name", ["index.html", "attempt"])
@pytest.mark.parametrize("width", [360, 768])
def test_a_narrow_page_is_not_wider_than_its_screen(
    name: str, width: int, page: Page, report: Path
) -> None:
    attempt = min((report / "attempts").iterdir())
    page.set_viewport_size({"width": width, "height": 740})
    page.goto((report / name if name == "index.html" else attempt).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(
    scheme: Literal["light", "dark"], page: Page, report: Path
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto((report / "index.html").as_uri())
    look = "getComputedStyle(document.body)"
    ink, paper = (
        sum(int(part) for part in page.evaluate(f"{look}.{key}")[4:-1].split(","))
        for key in ("color", "backgroundColor")
    )
    assert (paper - ink if scheme == "light" else ink - paper) > 500

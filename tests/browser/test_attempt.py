"""The page of an attempt, in Chromium, from its file."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def attempt(page: Page, report: Path) -> Page:
    page.goto((report / "index.html").as_uri())
    page.get_by_label("Filter").fill("git archaeology resolved")
    page.locator("#table tbody tr:not([hidden]) a").first.click()
    return page


def test_a_row_leads_to_its_trajectory(attempt: Page) -> None:
    expect(attempt.get_by_role("heading", name="Turn 1", exact=True)).to_be_visible()


def test_an_output_unfolds(attempt: Page) -> None:
    output = attempt.locator("article#t1 details").last
    output.locator("summary").click()
    expect(output.locator("pre")).to_be_visible()


def test_a_flag_leads_to_its_turn(attempt: Page) -> None:
    attempt.locator("#flags ~ table a").first.click()
    expect(attempt.locator("article:target h3")).to_have_text("Turn 2")


def test_lines_of_the_patch_are_coloured_and_keep_their_signs(attempt: Page) -> None:
    added = attempt.locator("pre.diff .add").first
    ground = "one => getComputedStyle(one).backgroundColor"
    assert added.inner_text().startswith("+")
    assert added.evaluate(ground) != attempt.locator("pre.diff .del").first.evaluate(ground)


def test_the_way_back_is_there(attempt: Page) -> None:
    attempt.get_by_role("link", name="All attempts").click()
    expect(attempt.locator("#table")).to_be_visible()


def test_it_runs_no_script(attempt: Page) -> None:
    assert attempt.evaluate("document.scripts.length") == 0

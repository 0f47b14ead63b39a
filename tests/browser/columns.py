"""What a table shows."""

from playwright.sync_api import Page


def column(page: Page, heading: str) -> list[str]:
    """The texts of a column in rows that are shown, from top to bottom."""
    headings = page.locator("#table thead th").all_inner_texts()
    place = headings.index(heading) + 1
    return page.locator(f"#table tbody tr:not([hidden]) td:nth-child({place})").all_inner_texts()

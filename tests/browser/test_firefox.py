"""Once in Firefox: the same files, another engine's reading of file addresses and policies."""

from pathlib import Path

import pytest

from tests.doubles.browsers import Firefox
from tests.doubles.hostile_run import PAYLOAD

_SHOWN = "Array.from(document.querySelectorAll('#table tbody tr:not([hidden])'))"
_TURNS = _SHOWN + ".map(row => Number(row.querySelectorAll('.n')[0].textContent))"
PAGES = ("index.html", "attempts/1_demo.html")


@pytest.fixture
def index(fox: Firefox, report: Path) -> Firefox:
    fox.open((report / "index.html").as_uri())
    return fox


def test_style_and_charts_are_there(index: Firefox) -> None:
    weight = "getComputedStyle(document.querySelector('.outcome')).fontWeight"
    drawn = "Array.from(document.images).every(one => one.naturalWidth > 0)"
    assert (index.evaluate(weight), index.evaluate(drawn)) == ("600", True)


def test_a_heading_sorts(index: Firefox) -> None:
    index.click("th.n button")
    turns = index.evaluate(_TURNS)
    assert turns == sorted(turns, reverse=True)


def test_words_filter(index: Firefox) -> None:
    index.click("#words")
    index.write("relay")
    assert index.evaluate(f"{_SHOWN}.length") == 10


def test_a_row_leads_to_its_trajectory(index: Firefox) -> None:
    address = index.evaluate("document.querySelector('#table a').href")
    index.open(address)
    styled = "getComputedStyle(document.querySelector('.add') || document.body).display"
    assert (index.evaluate("Boolean(document.getElementById('t1'))"), index.evaluate(styled)) == (
        True,
        "block",
    )


@pytest.mark.row("H1")
@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_run_is_text_and_nothing_happens(name: str, fox: Firefox, hostile: Path) -> None:
    fox.events.clear()
    fox.open((hostile / name).as_uri())
    text, title = fox.evaluate("document.body.textContent"), fox.evaluate("document.title")
    asked = [facts["request"]["url"] for kind, facts in fox.events if "Request" in kind]
    other = [kind for kind, _ in fox.events if "Request" not in kind]
    strange = [url for url in asked if not url.startswith("file:")]
    assert (PAYLOAD in text, title != "HIT", other, strange) == (True, True, [], [])

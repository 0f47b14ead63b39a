"""Row H1: texts of strangers are texts on every page."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.doubles.hostile_run import PAYLOAD
from tests.doubles.parsed import Parsed

pytestmark = pytest.mark.row("H1")
PAGES = ("index.html", "attempts/1_demo.html")
FIELDS = {"index.html": 12, "attempts/1_demo.html": 25}
"""Of a page, in how many places at least the payload can be read."""


def _page(folder: Path, name: str) -> Parsed:
    return Parsed((folder / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_run_adds_no_element_and_no_attribute(
    name: str, hostile: Path, harmless: Path
) -> None:
    assert _page(hostile, name).skeleton == _page(harmless, name).skeleton


@pytest.mark.parametrize("name", PAGES)
def test_the_payload_can_be_read_as_it_is(name: str, hostile: Path) -> None:
    assert _page(hostile, name).text.count(PAYLOAD) >= FIELDS[name]


@pytest.mark.parametrize("name", PAGES)
def test_no_element_handles_events_or_has_a_style_of_its_own(name: str, hostile: Path) -> None:
    names = {attribute for one in _page(hostile, name).elements for attribute in one.attributes}
    assert [one for one in names if one.startswith("on") or one in {"style", "srcdoc"}] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_address_is_a_file_of_the_report_or_a_place_on_the_page(
    name: str, hostile: Path
) -> None:
    page = _page(hostile, name)
    ids = {one.attributes.get("id") for one in page.elements}
    strange = []
    for element in page.elements:
        for key in ("href", "src", "action", "formaction", "poster", "data"):
            address = element.attributes.get(key)
            inside = address is None or (
                address.removeprefix("#") in ids
                if address.startswith("#")
                else (hostile / name).parent.joinpath(address).resolve().is_relative_to(hostile)
                and (hostile / name).parent.joinpath(address).is_file()
            )
            strange += [] if inside else [address]
    assert strange == []


def test_the_page_of_an_attempt_has_no_script(hostile: Path) -> None:
    assert _page(hostile, PAGES[1]).all("script") == []


def test_the_index_has_its_own_script_alone(hostile: Path) -> None:
    assert [one.attributes["src"] for one in _page(hostile, PAGES[0]).all("script")] == [
        "report.js"
    ]


@pytest.mark.parametrize(
    ("name", "scripts"), [("index.html", "'self'"), ("attempts/1_demo.html", None)]
)
def test_a_page_allows_its_own_files_and_nothing_else(
    name: str, scripts: str | None, hostile: Path
) -> None:
    policy = next(
        one.attributes["content"]
        for one in _page(hostile, name).all("meta")
        if one.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    told = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert (told.pop("script-src", None), told) == (
        scripts,
        {
            "default-src": "'none'",
            "img-src": "'self'",
            "style-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'none'",
        },
    )


@pytest.mark.parametrize("name", PAGES)
def test_links_tell_nobody_where_the_reader_came_from(name: str, hostile: Path) -> None:
    links = [one.attributes for one in _page(hostile, name).all("a")]
    leaving = [one for one in links if not one["href"].startswith("#")]
    assert leaving
    assert {one.get("rel") for one in leaving} == {"noreferrer"}


def test_what_a_reader_would_not_see_is_shown_as_signs(hostile: Path) -> None:
    assert "⟨U+202E⟩gnp⟨U+202C⟩⟨U+FEFF⟩" in _page(hostile, PAGES[1]).text


def test_junit_says_the_same_as_text(hostile: Path) -> None:
    root = ElementTree.parse(hostile / "junit.xml").getroot()
    messages = [one.attrib["message"] for one in root.iter() if "message" in one.attrib]
    assert messages == [f"unresolved: {PAYLOAD}", f"infra_error: {PAYLOAD}"]

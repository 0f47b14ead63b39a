import pytest

from inifile import Document, dumps, loads


def document_with(value):
    document = Document()
    document.section("section")["key"] = value
    return document


def test_options_without_a_section_come_first():
    document = Document()
    document.section("server")["port"] = 80
    document.section("")["name"] = "demo"
    assert dumps(document) == "name = demo\n\n[server]\nport = 80\n"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("plain words", id="words"),
        pytest.param(" blanks ", id="blanks"),
        pytest.param("8080", id="digits"),
        pytest.param("yes", id="truth-word"),
        pytest.param('say "hi"', id="quotes"),
        pytest.param("back\\slash", id="backslash"),
        pytest.param("", id="empty"),
        pytest.param("one # two", id="hash"),
        pytest.param("one ; two", id="semicolon"),
        pytest.param('"one" # "two" ; it\'s', id="quotes-and-hash"),
        pytest.param(8080, id="integer"),
        pytest.param(-0.5, id="float"),
        pytest.param(False, id="false"),
    ],
)
def test_what_was_written_is_read_again(value):
    read = loads(dumps(document_with(value)))["section"]["key"]
    assert (type(read), read) == (type(value), value)

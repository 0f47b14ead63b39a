import pytest

from inifile import IniError, load, loads

EXAMPLE = """\
# how the service starts
name = demo

[server]
host = localhost      ; only this machine
port = 8080
ratio = 0.5
debug = yes

[ paths ]
data = "/srv/my data"
"""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("name", "demo", id="no-section"),
        pytest.param("server.host", "localhost", id="string"),
        pytest.param("server.port", 8080, id="integer"),
        pytest.param("server.ratio", 0.5, id="float"),
        pytest.param("server.debug", True, id="truth"),
        pytest.param("paths.data", "/srv/my data", id="quoted"),
    ],
)
def test_example(path, value):
    assert loads(EXAMPLE).get(path) == value


def test_sections_keep_their_order():
    assert list(loads(EXAMPLE)) == ["", "server", "paths"]


def test_file(tmp_path):
    path = tmp_path / "demo.ini"
    path.write_text(EXAMPLE, encoding="utf-8")
    assert load(path).get("server.port") == 8080


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param("key = one # two", "one", id="hash"),
        pytest.param("key = one ; two", "one", id="semicolon"),
        pytest.param("key = one#two", "one#two", id="no-blank-before"),
        pytest.param("key = a=b", "a=b", id="equals-sign"),
        pytest.param('key = "8080"', "8080", id="quoted-number"),
        pytest.param(r'key = "say \"hi\""', 'say "hi"', id="escaped-quote"),
        pytest.param("key = don't  # do", "don't", id="apostrophe"),
        pytest.param('key = 6" nails # big', '6" nails', id="quote-inside"),
        pytest.param("key =", "", id="empty"),
    ],
)
def test_value(line, value):
    assert loads(line).get("key") == value


def test_comment_after_a_section():
    assert "server" in loads("[server] # main")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\nport", id="no-value"),
        pytest.param("\n= 1", id="no-key"),
        pytest.param("a = 1\na = 2", id="twice"),
        pytest.param('\nname = "demo', id="unclosed-quote"),
        pytest.param('\nname = "a" b', id="text-after-quote"),
    ],
)
def test_error_names_the_line(text):
    with pytest.raises(IniError) as caught:
        loads(text)
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param('key = "go to #general"', "go to #general", id="hash"),
        pytest.param('key = "one ; two"', "one ; two", id="semicolon"),
        pytest.param("key = 'one # two ; three'", "one # two ; three", id="single-quotes"),
        pytest.param('key = "#ff0000"', "#ff0000", id="hash-first"),
        pytest.param(r'key = "a \"b ; c\" d"', 'a "b ; c" d', id="escaped-quotes"),
        pytest.param(r'key = "ends in \\" # comment', "ends in \\", id="escaped-backslash"),
        pytest.param('key = "it\'s # here"', "it's # here", id="other-quote-inside"),
        pytest.param('key="a # b"', "a # b", id="no-blanks-around-equals"),
        pytest.param('key = "a # b"  # where "we" meet', "a # b", id="comment-after-it"),
        pytest.param('key = "a"  ; say "b"', "a", id="quotes-in-the-comment"),
        pytest.param('key = a "b # c"', 'a "b', id="quote-not-at-the-start"),
    ],
)
def test_quoted_value(line, value):
    assert loads(line).get("key") == value


def test_quotes_in_a_comment_line_mean_nothing():
    assert list(loads('# key = "one # two"\n; other = "x"')) == []


def test_quote_that_is_never_closed_is_still_an_error():
    with pytest.raises(IniError):
        loads('key = "one # two')

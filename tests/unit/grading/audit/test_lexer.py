"""What is a command in a shell script, and what is text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.grading.audit.command import CLOSE, OPEN
from evalkit.grading.audit.lexer import read_script


def words(script: str) -> list[list[str]]:
    return [one.words for one in read_script(script) if one is not OPEN and one is not CLOSE]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a b", [["a", "b"]]),
        ("a;b&&c||d|e&f\ng", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["g"]]),
        ("a 'b;c' \"d | e\" f\\;g", [["a", "b;c", "d | e", "f;g"]]),
        ("a # b; c\nd", [["a"], ["d"]]),
        ("a b#c", [["a", "b#c"]]),
        ("(a; b)", [["a"], ["b"]]),
        ("a \\\n b", [["a", "b"]]),
        ("a 'it is\nthe same word'", [["a", "it is\nthe same word"]]),
        ("echo 'a'\\''b'", [["echo", "a'b"]]),
        ('a "b\\"c"', [["a", 'b"c']]),
        ("a 2>&1 >b <c", [["a"]]),
        ("a &>b; c", [["a"], ["c"]]),
    ],
)
def test_a_script_is_cut_into_its_commands(script: str, expected: list[list[str]]) -> None:
    assert words(script) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a $(b c)", [["b", "c"], ["a", "$(b c)"]]),
        ('a "x $(b) y"', [["b"], ["a", "x $(b) y"]]),
        ("a `b`", [["b"], ["a", "`b`"]]),
        ("a <(b) >(c)", [["b"], ["c"], ["a", "<(b)", ">(c)"]]),
        ("a $( (b) )", [["b"], ["a", "$( (b) )"]]),
        ("a $((1 << 2)); b", [["a", "$((1 << 2))"], ["b"]]),
    ],
)
def test_a_substitution_holds_commands(script: str, expected: list[list[str]]) -> None:
    assert words(script) == expected


@pytest.mark.parametrize(
    "script",
    [
        "cat > t.py <<EOF\ncurl x\nEOF\nnext",
        "cat > t.py <<'EOF'\nit's \"curl\nEOF\nnext",
        "cat <<-E > t.py\n\tcurl x\n\tE\nnext",
        'cat <<"E F" > t.py\ncurl\nE F\nnext',
    ],
)
def test_the_body_of_a_here_document_is_no_command(script: str) -> None:
    assert words(script) == [["cat"], ["next"]]


def test_what_follows_a_here_document_on_its_line_is_a_command() -> None:
    assert words("cat <<A <<B | c\n1\nA\n2\nB\nd") == [["cat"], ["c"], ["d"]]


def test_a_here_document_without_its_end_runs_to_the_end() -> None:
    assert words("cat <<EOF\ncurl\n") == [["cat"]]


@pytest.mark.parametrize("script", ["python - <<E\nx = 1\nE", "python <<< 'x = 1\n'"])
def test_a_here_document_is_its_commands_input(script: str) -> None:
    assert read_script(script)[0].stdin == "x = 1\n"


def test_redirections_name_the_files_written() -> None:
    assert read_script("a >b 2>>c &>d 3>&1 <e")[0].writes == ["b", "c", "d"]


@pytest.mark.parametrize(
    "script", ["A=b; run $A", 'A=b\nrun "${A}"', "export A=b; run $A", "for A in b c; do run $A"]
)
def test_a_known_variable_is_filled_in(script: str) -> None:
    assert words(script)[-1][-2:] == ["run", "b"]


def test_the_commands_of_a_pipe_know_where_their_input_comes_from() -> None:
    first, second = read_script("a | b")
    assert second.source is first


@given(st.text(alphabet=st.sampled_from(list("ab \n\t'\"\\$`(){}<>|&;#=-1")), max_size=60))
def test_anything_is_read(script: str) -> None:
    assert isinstance(read_script(script), list)


@pytest.mark.parametrize("piece", ["$(", "`", "$((", "<<E ", "'", '"', "A=$A$A;", "\\", "<(", "a|"])
def test_a_long_script_of_odd_pieces_takes_no_long_time(piece: str) -> None:
    begun = time.monotonic()
    read_script("A=xxxxxxxxxx;" + piece * 10_000)
    assert time.monotonic() - begun < 5

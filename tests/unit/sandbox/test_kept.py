from hypothesis import given
from hypothesis import strategies as st

from evalkit.sandbox.kept import Kept

PIECES = st.lists(st.binary(max_size=20))


def kept(pieces: list[bytes], limit: int) -> Kept:
    result = Kept(limit)
    for piece in pieces:
        result.write(piece)
    return result


def test_what_fits_is_kept_whole() -> None:
    assert kept([b"ab", b"cd"], 4).text() == "abcd"


def test_what_does_not_fit_goes_from_the_middle() -> None:
    assert kept([b"abc", b"defgh"], 4).text() == "abgh"


def test_a_character_across_head_and_tail_stays_whole() -> None:
    assert kept(["aé".encode()], 4).text() == "aé"


@given(PIECES, st.integers(0, 30).map(lambda half: 2 * half))
def test_every_byte_is_kept_or_counted(pieces: list[bytes], limit: int) -> None:
    result = kept(pieces, limit)
    length = len(result.text("surrogateescape").encode("utf-8", "surrogateescape"))
    assert length + result.omitted == sum(map(len, pieces))


@given(PIECES, st.integers(0, 30))
def test_no_more_than_the_limit_is_kept(pieces: list[bytes], limit: int) -> None:
    text = kept(pieces, limit).text("surrogateescape")
    assert len(text.encode("utf-8", "surrogateescape")) <= limit

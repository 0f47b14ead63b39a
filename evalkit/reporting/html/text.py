"""Texts of strangers, made fit to be read."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from evalkit.errors import StoreError

# Controls, marks that turn or hide text (Unicode annex 9; CVE-2021-42574), halves of characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")


class Excerpt(NamedTuple):
    """The begin and the end of a text; `tail` is empty where nothing is left out."""

    head: str
    tail: str = ""
    left_out: int = 0
    """Characters, or bytes of a file, between the two."""

    @property
    def is_long(self) -> bool:
        """Whether it is better folded away at first."""
        return bool(self.left_out) or len(self.head) > 1200 or self.head.count("\n") > 14

    @property
    def lines(self) -> int:
        """Lines that are shown."""
        return sum(len(part.splitlines()) for part in (self.head, self.tail))


NOTHING = Excerpt("")


def visible(text: str) -> str:
    """Show what would be invisible, or would change what is seen, as a sign of its own."""
    return _HIDDEN.sub(_sign, text) if _HIDDEN.search(text) else text


def plain(text: str) -> str:
    """Leave out a terminal's colours."""
    return _COLOUR.sub("", text) if "\x1b" in text else text


def excerpt(text: str, most: int) -> Excerpt:
    """Return a text, cut in its middle where it has more than `most` characters."""
    text = plain(text)
    if len(text) <= most:
        return Excerpt(text)
    half = most // 2
    return Excerpt(text[:half], text[-half:], len(text) - 2 * half)


def file_excerpt(path: Path, most: int) -> Excerpt | None:
    """Return a file's text, cut in its middle where it has more than `most` bytes.

    None where there is no file. Raises StoreError where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size <= most:
                return Excerpt(plain(_decoded(file.read())))
            half = most // 2
            head = file.read(half)
            file.seek(size - half)
            tail = file.read(half)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    return Excerpt(plain(_decoded(head)), plain(_decoded(tail)), size - 2 * half)


def lines_of(text: str) -> Iterator[str]:
    """Yield lines with their ends; only a newline ends one, whatever else Unicode knows."""
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin) + 1 or len(text)
        yield text[begin:end]
        begin = end


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"⟨U+{code:04X}⟩"

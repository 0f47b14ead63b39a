from itertools import repeat

import pytest

from evalkit.errors import SandboxError
from evalkit.sandbox.capture import EXPORT_LIMIT, _bounded, _utf8

UTF8 = b"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n"
LATIN = b"diff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n-x\n+\xe9\n"
BINARY = b"diff --git a/%c b/%c\nGIT binary patch\nliteral 1\nzcx\n\n"


def test_a_patch_of_utf8_is_as_it_came() -> None:
    assert _utf8(UTF8, b"") == UTF8.decode()


def test_no_patch_is_empty() -> None:
    assert _utf8(b"", b"") == ""


def test_only_the_file_that_is_not_utf8_is_taken_from_the_binary_patch() -> None:
    binary = BINARY % (b"a", b"a") + BINARY % (b"b", b"b")
    assert _utf8(UTF8 + LATIN, binary) == (UTF8 + BINARY % (b"b", b"b")).decode()


def test_content_that_looks_like_a_header_is_no_header() -> None:
    text = UTF8.replace(b"+y\n", b"+diff --git a/z b/z\n") + LATIN
    binary = BINARY % (b"a", b"a") + BINARY % (b"b", b"b")
    assert "+diff --git a/z b/z\n" in _utf8(text, binary)


MIB = bytes(2**20)


@pytest.mark.row("E8")
def test_a_tree_past_the_limit_is_refused() -> None:
    chunks = repeat(MIB, EXPORT_LIMIT // len(MIB) + 1)
    with pytest.raises(SandboxError, match="over 8 GiB"):
        sum(map(len, _bounded(chunks)))


def test_a_tree_of_exactly_the_limit_passes() -> None:
    chunks = repeat(MIB, EXPORT_LIMIT // len(MIB))
    assert sum(map(len, _bounded(chunks))) == EXPORT_LIMIT

"""A patch, file by file, in blocks of lines of one kind."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from evalkit.reporting.html.text import lines_of

_BEGIN = "diff --git "


class Block(NamedTuple):
    """Lines of one kind: `add`, `del`, `hunk`, `head` or, unchanged, `same`."""

    kind: str
    text: str


class PatchFile(NamedTuple):
    """What a patch does to one file."""

    name: str
    added: int
    removed: int
    blocks: tuple[Block, ...]


def patch_files(patch: str) -> Iterator[PatchFile]:
    """Yield the files of a patch; text before the first one is a file without a name."""
    lines: list[str] = []
    for line in lines_of(patch):
        if line.startswith(_BEGIN) and lines:
            yield _file(lines)
            lines = []
        lines.append(line)
    if lines:
        yield _file(lines)


def _file(lines: list[str]) -> PatchFile:
    kinds = list(_kinds(lines))
    first = lines[0].rstrip("\n")
    return PatchFile(
        name=first.removeprefix(_BEGIN).rpartition(" b/")[2] if first.startswith(_BEGIN) else "",
        added=kinds.count("add"),
        removed=kinds.count("del"),
        blocks=tuple(
            Block(kind, "".join(line for _, line in group))
            for kind, group in groupby(zip(kinds, lines, strict=True), key=lambda one: one[0])
        ),
    )


def _kinds(lines: list[str]) -> Iterator[str]:
    """Before the first hunk `---` and `+++` are headings; within one, they are lines of the file."""
    within = False
    for line in lines:
        if line.startswith("@@"):
            within = True
            yield "hunk"
        elif not within:
            yield "head"
        else:
            yield {"+": "add", "-": "del"}.get(line[0], "same")

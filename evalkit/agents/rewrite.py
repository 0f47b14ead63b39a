"""The `rewrite` tool: functions that a model writes whole take the place of their namesakes.

Small models write a corrected function well, and quote the lines to be replaced badly.
"""

import ast
from itertools import chain
from textwrap import dedent, indent

from evalkit.agents.calls import ToolError

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def rewrite(source: str, code: str) -> tuple[str, list[str]]:
    """Return `source` with each definition of `code` put in, and the names that changed.

    Raises ToolError where nothing can be put in or nothing would change.
    """
    code = dedent(code)
    names = [node.name for node in _parse(code, "the block").body if isinstance(node, _Definition)]
    if not names:
        raise ToolError("the block defines no function")
    changed = []
    for name in names:
        before = source
        source = _replaced(source, name, _text(code, name))
        if source != before:
            changed.append(name)
    if not changed:
        raise ToolError("the file already holds exactly this; write the function as it must become")
    return source, changed


def _replaced(source: str, name: str, text: str) -> str:
    found = _find(source, name)
    lines = source.split("\n")
    new = indent(text, " " * found.col_offset).split("\n")
    first = found.lineno if not text.startswith("@") else _first_line(found)
    return "\n".join([*lines[: first - 1], *new, *lines[found.end_lineno :]])


def _text(code: str, name: str) -> str:
    node = next(
        one for one in _parse(code, "").body if isinstance(one, _Definition) and one.name == name
    )
    lines = code.split("\n")[_first_line(node) - 1 : node.end_lineno]
    return dedent("\n".join(lines))


def _find(source: str, name: str) -> _Definition:
    tree = ast.walk(_parse(source, "the file"))
    found = [node for node in tree if isinstance(node, _Definition) and node.name == name]
    if len(found) != 1:
        times = f"{len(found)} times" if found else "nowhere"
        raise ToolError(f"{name} is defined {times} in the file viewed last; view the right file")
    return found[0]


def _first_line(node: _Definition) -> int:
    return min(one.lineno for one in chain(node.decorator_list, [node]))


def _parse(text: str, what: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise ToolError(f"{what} is not valid Python: {error}") from error

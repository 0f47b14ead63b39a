"""The `str_replace_editor` tool over a sandbox's files: its rules are the published scaffold's.

Source: tools/edit_anthropic/bin/str_replace_editor of SWE-agent 1.1.0. There `undo_edit` never
finds an edit (its history is lost between calls); here it does what the tool's description says.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evalkit.agents.calls import MalformedCallError, ToolError, text_of
from evalkit.agents.rewrite import rewrite
from evalkit.protocols import Sandbox

COMMANDS = ("view", "create", "str_replace", "insert", "undo_edit")
_CONTEXT = 4
"""Lines shown before and after an edit."""
_CLIPPED_AT = 16000
"""Characters of a file that the published editor shows at once."""


@dataclass
class Editor:
    """One sandbox's editor."""

    sandbox: Sandbox
    as_published: bool = False
    """Do with tabs and long files as the published editor: tabs of what it shows, and of a file it
    edits, become spaces; of a long file the beginning is shown."""
    viewed: str = ""
    """The file that `view` showed last; `rewrite` changes it."""
    history: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Path to what the file held before each edit that is not undone."""

    def __call__(self, arguments: Mapping[str, Any]) -> str:
        """Run one command of the editor. Raises ToolError."""
        actions: tuple[Callable[[str, Mapping[str, Any]], str], ...]
        actions = (self._view, self._create, self._str_replace, self._insert, self._undo)
        commands = dict(zip(COMMANDS, actions, strict=True))
        command = text_of(arguments, "command")
        if command not in commands:
            raise MalformedCallError(
                f"unknown command {command!r}; use one of {', '.join(commands)}"
            )
        path = text_of(arguments, "path")
        if not path.startswith("/"):
            raise ToolError(f"path {path!r} is not absolute; did you mean '/{path}'?")
        try:
            return commands[command](path, arguments)
        except IsADirectoryError as error:
            raise ToolError(f"{path} is a directory; only `view` takes one") from error
        except OSError as error:
            raise ToolError(f"{path}: {error.strerror or error}") from error

    def rewrite(self, code: str) -> str:
        """Put the definitions of `code` into the file viewed last. Raises ToolError."""
        path = self.viewed
        if not path:
            raise ToolError("view the file first that holds the function")
        try:
            before = self._read(path)
            source, changed = rewrite(before, code)
            self._edit(path, before, source)
        except OSError as error:
            raise ToolError(f"{path}: {error.strerror or error}") from error
        return f"{', '.join(changed)} in {path} now reads as you wrote."

    def _view(self, path: str, arguments: Mapping[str, Any]) -> str:
        wanted = arguments.get("view_range")
        try:
            lines = self._read(path).split("\n")
        except IsADirectoryError:
            if wanted is not None:
                raise ToolError(f"{path} is a directory; it takes no view_range") from None
            return self._list(path)
        self.viewed = path
        first, last = _view_range(wanted, len(lines))
        return self._numbered(lines[first - 1 : last], first)

    def _list(self, path: str) -> str:
        quoted = "'" + path.replace("'", "'\\''") + "'"
        listing = f"find {quoted} -maxdepth 2 -not -path '*/.*' | sort"
        return self.sandbox.run(listing, timeout_s=30).output

    def _create(self, path: str, arguments: Mapping[str, Any]) -> str:
        text = text_of(arguments, "file_text")
        if self._exists(path):
            raise ToolError(f"{path} exists already; `create` does not overwrite")
        parent = path.rpartition("/")[0] or "/"
        if not self._exists(parent):
            raise ToolError(f"the folder {parent} does not exist; create it first")
        self._write(path, text)
        self.history.pop(path, None)  # of a file of that name that is gone
        return f"File created at {path}"

    def _exists(self, path: str) -> bool:
        try:
            self._read(path)
        except FileNotFoundError:
            return False
        except OSError:  # a folder, or nothing one reads
            return True
        return True

    def _str_replace(self, path: str, arguments: Mapping[str, Any]) -> str:
        old = self._spaced(text_of(arguments, "old_str"))
        new = self._spaced(text_of(arguments, "new_str", default=""))
        content = self._spaced(self._read(path))
        _refuse_unless_one(content, old, path)
        if new == old:
            raise ToolError("old_str and new_str are the same; nothing was replaced")
        line = content[: content.index(old)].count("\n") + 1
        changed = content.replace(old, new)
        self._edit(path, content, changed)
        return self._edited(path, changed, line, line + new.count("\n"))

    def _insert(self, path: str, arguments: Mapping[str, Any]) -> str:
        after = _whole(arguments.get("insert_line"), "insert_line")
        added = self._spaced(text_of(arguments, "new_str")).split("\n")
        content = self._spaced(self._read(path))
        lines = content.split("\n")
        if not 0 <= after <= len(lines):
            raise ToolError(f"insert_line is {after}; it must be from 0 to {len(lines)}")
        changed = "\n".join([*lines[:after], *added, *lines[after:]])
        self._edit(path, content, changed)
        return self._edited(path, changed, after + 1, after + len(added))

    def _undo(self, path: str, _: Mapping[str, Any]) -> str:
        self._read(path)  # a file that is gone stays so
        if not self.history[path]:
            raise ToolError(f"there is no edit of {path} to undo")
        before = self.history[path].pop()
        self._write(path, before)
        return f"The last edit of {path} is undone. It reads:\n" + self._numbered(
            before.split("\n"), 1
        )

    def _edit(self, path: str, before: str, after: str) -> None:
        self._write(path, after)
        self.history[path].append(before)

    def _read(self, path: str) -> str:
        return self.sandbox.read_file(path).decode("utf-8", "surrogateescape")

    def _write(self, path: str, text: str) -> None:
        self.sandbox.write_file(path, text.encode("utf-8", "surrogateescape"))

    def _spaced(self, text: str) -> str:
        return text.expandtabs() if self.as_published else text

    def _edited(self, path: str, content: str, first: int, last: int) -> str:
        start = max(1, first - _CONTEXT)
        shown = content.split("\n")[start - 1 : last + _CONTEXT]
        return f"{path} has been edited.\n" + self._numbered(shown, start)

    def _numbered(self, lines: list[str], first: int) -> str:
        text, note = self._spaced("\n".join(lines)), ""
        if self.as_published and len(text) > _CLIPPED_AT:
            text = text[:_CLIPPED_AT]
            note = "\n<response clipped> Find line numbers with `grep -n`, then use view_range."
        return "\n".join(f"{n:6}\t{line}" for n, line in enumerate(text.split("\n"), first)) + note


def _refuse_unless_one(content: str, old: str, path: str) -> None:
    count = content.count(old)
    if count == 1:
        return
    found = "was not found"
    if count:
        found = f"occurs {count} times" + (f", in lines {_lines_of(content, old)}" if old else "")
    raise ToolError(
        f"old_str {found} in {path}; it must match exactly one place, "
        "whitespace included. View the file and try again."
    )


def _lines_of(content: str, part: str) -> str:
    """Return the numbers of the lines in which `part` begins."""
    pieces = content.split(part)[:-1]
    numbers, line = [], 1
    for piece in pieces:
        line += piece.count("\n")
        numbers.append(str(line))
        line += part.count("\n")
    return ", ".join(dict.fromkeys(numbers))


def _view_range(wanted: object, count: int) -> tuple[int, int]:
    if wanted is None:
        return 1, count
    if not isinstance(wanted, list) or len(wanted) != 2:
        raise MalformedCallError("view_range must be a list of two numbers, such as [10, 40]")
    first, last = (_whole(one, "view_range") for one in wanted)
    if not 1 <= first <= count:
        raise ToolError(f"view_range begins at {first}; {count} is the last line there is")
    if last > count:
        raise ToolError(f"view_range ends at {last}, past line {count}; -1 means the end")
    if last != -1 and last < first:
        raise ToolError(f"view_range ends at {last}, before it begins at {first}")
    return first, count if last == -1 else last


def _whole(value: object, name: str) -> int:
    """Read a whole number, also one that a model wrote as text."""
    try:
        if isinstance(value, int | str) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    raise MalformedCallError(f"`{name}` is required and must be made of whole numbers")

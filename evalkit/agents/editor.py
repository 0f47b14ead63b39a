"""The `str_replace_editor` tool: view, create, str_replace, insert, over a sandbox's files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.agents.calls import ToolError, text_of
from evalkit.agents.rewrite import rewrite
from evalkit.protocols import Sandbox

COMMANDS = ("view", "create", "str_replace", "insert")
_CONTEXT = 4


@dataclass
class Editor:
    """One sandbox's editor."""

    sandbox: Sandbox
    viewed: str = ""
    """The file that `view` showed last; `rewrite` changes it."""

    def __call__(self, arguments: Mapping[str, Any]) -> str:
        """Run one command of the editor. Raises ToolError."""
        actions: tuple[Callable[[str, Mapping[str, Any]], str], ...]
        actions = (self._view, self._create, self._str_replace, self._insert)
        commands = dict(zip(COMMANDS, actions, strict=True))
        command = text_of(arguments, "command")
        if command not in commands:
            raise ToolError(f"unknown command {command!r}; use one of {', '.join(commands)}")
        path = text_of(arguments, "path")
        if not path.startswith("/"):
            raise ToolError(f"path {path!r} is not absolute; did you mean '/{path}'?")
        try:
            return commands[command](path, arguments)
        except OSError as error:
            raise ToolError(f"{path}: {error.strerror or error}") from error

    def rewrite(self, code: str) -> str:
        """Put the definitions of `code` into the file viewed last. Raises ToolError."""
        if not self.viewed:
            raise ToolError("view the file first that holds the function")
        try:
            source, changed = rewrite(self._read(self.viewed), code)
            self._write(self.viewed, source)
        except OSError as error:
            raise ToolError(f"{self.viewed}: {error.strerror or error}") from error
        return f"{', '.join(changed)} in {self.viewed} now reads as you wrote."

    def _view(self, path: str, arguments: Mapping[str, Any]) -> str:
        try:
            lines = self._read(path).split("\n")
        except IsADirectoryError:
            return self._list(path)
        self.viewed = path
        first, last = _view_range(arguments.get("view_range"), len(lines))
        return _numbered(lines[first - 1 : last], first)

    def _list(self, path: str) -> str:
        quoted = "'" + path.replace("'", "'\\''") + "'"
        listing = f"find {quoted} -maxdepth 2 -not -path '*/.*' | sort"
        return self.sandbox.run(listing, timeout_s=30).output

    def _create(self, path: str, arguments: Mapping[str, Any]) -> str:
        self._write(path, text_of(arguments, "file_text"))
        return f"File created at {path}"

    def _str_replace(self, path: str, arguments: Mapping[str, Any]) -> str:
        old, new = text_of(arguments, "old_str"), str(arguments.get("new_str") or "")
        content = self._read(path)
        count = content.count(old) if old else 0
        if count != 1:
            found = f"occurs {count} times" if count else "was not found"
            raise ToolError(
                f"old_str {found} in {path}; it must match exactly one place, "
                "whitespace included. View the file and try again."
            )
        line = content[: content.index(old)].count("\n") + 1
        changed = content.replace(old, new)
        self._write(path, changed)
        return f"{path} has been edited.\n" + _around(changed, line, line + new.count("\n"))

    def _insert(self, path: str, arguments: Mapping[str, Any]) -> str:
        new, after = text_of(arguments, "new_str"), arguments.get("insert_line")
        lines = self._read(path).split("\n")
        if not isinstance(after, int) or not 0 <= after <= len(lines):
            raise ToolError(f"insert_line must be a whole number from 0 to {len(lines)}")
        added = new.removesuffix("\n").split("\n")
        changed = "\n".join([*lines[:after], *added, *lines[after:]])
        self._write(path, changed)
        return f"{path} has been edited.\n" + _around(changed, after + 1, after + len(added))

    def _read(self, path: str) -> str:
        return self.sandbox.read_file(path).decode("utf-8", "surrogateescape")

    def _write(self, path: str, text: str) -> None:
        self.sandbox.write_file(path, text.encode("utf-8", "surrogateescape"))


def _view_range(wanted: object, count: int) -> tuple[int, int]:
    if wanted is None:
        return 1, count
    match wanted:
        case [int(first), int(last)]:
            last = count if last == -1 else min(last, count)
            if 1 <= first <= max(last, 1):
                return first, last
    raise ToolError(f"view_range must be [first, last] within 1 and {count}")


def _numbered(lines: list[str], first: int) -> str:
    return "\n".join(f"{number:6}\t{line}" for number, line in enumerate(lines, first))


def _around(content: str, first: int, last: int) -> str:
    start = max(1, first - _CONTEXT)
    return _numbered(content.split("\n")[start - 1 : last + _CONTEXT], start)

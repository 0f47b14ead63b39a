"""A shell script, cut into simple commands: enough of the grammar to tell a command from text.

Quotes, substitutions, pipes, subshells, redirections and here-documents are read as bash does, so
that a word in a file's body or in a string is not taken for a command. Anything goes in: what is
no script gives some words, never an error.
"""

import re

from evalkit.grading.audit.command import CLOSE, OPEN, Command

_SKIPPED = re.compile(r"(?:[^\S\n]|\\\n|#[^\n]*)+")
_BLANK = re.compile(r"(?:[^\S\n]|\\\n)+")
_REDIRECT = re.compile(r"(?:\d+|&)?(>>|>\||>&|>|<>|<&|<)")
_OPERATOR = re.compile(r"&&|\|\||;;&?|;&|\|&|[;&|()]")
_PLAIN = re.compile(r"[^\s'\"\\$`;&|<>()]+")
_DOUBLE_PLAIN = re.compile(r"[^\"\\$`]+")
_ANSI = re.compile(r"\$'((?:\\.|[^'\\])*)'?", re.DOTALL)
_NAME = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_ASSIGNMENT = re.compile(r"(\w+)=(.*)", re.DOTALL)
_DEEPEST = 20
"""Substitutions within substitutions beyond which their text is left as it is."""
_LONGEST = 1000
"""Characters of a variable's value beyond which it is not filled in."""


def read_script(text: str) -> list[Command]:
    """Return the simple commands of a script in the order of their ends."""
    reader = _Reader(text)
    reader.read_list()
    return reader.found


class _Reader:
    def __init__(self, text: str, depth: int = 0) -> None:
        self._text = text
        self._at = 0
        self._depth = depth
        self._bodies: list[tuple[Command, str, bool]] = []
        """Here-documents announced: whose they are, their last line, whether tabs may lead it."""
        self._variables: dict[str, str] = {}
        self.found: list[Command] = []

    def read_list(self, *, nested: bool = False) -> None:
        """Read commands to the end, or to the bracket that closes a substitution."""
        command, groups = Command(), 0
        while self._at < len(self._text):
            if self._take(_SKIPPED):
                continue
            if self._next("\n"):
                self._at += 1
                command = self._end(command)
                self._read_bodies()
            elif self._redirected(command):
                pass
            elif operator := self._take(_OPERATOR):
                done, command = command, self._end(command)
                if operator[0] in {"|", "|&"}:
                    command.source = done
                elif operator[0] == "(":
                    groups += 1
                    self.found.append(OPEN)
                elif operator[0] == ")":
                    if nested and not groups:
                        return
                    groups -= 1
                    self.found.append(CLOSE)
            else:
                command.words.append(self._word())
        self._end(command)

    def _end(self, command: Command) -> Command:
        """Put a command that is whole with the others, and begin the next."""
        command.words = [self._filled_in(word) for word in command.words]
        command.writes = [self._filled_in(word) for word in command.writes]
        words = command.words
        if words or command.writes or command.reads:
            self.found.append(command)
        if words[:1] == ["for"] and words[2:3] == ["in"] and len(words) > 3:
            self._variables[words[1]] = words[3][:_LONGEST]
        assigned = [_ASSIGNMENT.fullmatch(word) for word in words if word != "export"]
        if all(assigned):
            self._variables |= {found[1]: found[2][:_LONGEST] for found in assigned if found}
        return Command()

    def _filled_in(self, word: str) -> str:
        """Put known variables into a word."""
        if "$" not in word or len(word) > _LONGEST:
            return word
        return _NAME.sub(lambda name: self._variables.get(name[1] or name[2], name[0]), word)

    def _redirected(self, command: Command) -> bool:
        """Read a redirection of the command, if one stands here."""
        if self._text.startswith(("<(", ">("), self._at):
            return False
        if self._text.startswith("<<<", self._at):
            self._at += 3
            command.stdin = self._operand()
        elif self._text.startswith("<<", self._at):
            self._at += 2
            tabs = self._next("-")
            self._at += tabs
            self._bodies.append((command, self._operand(), tabs))
        elif found := self._take(_REDIRECT):
            files = command.reads if found[1] in {"<", "<&"} else command.writes
            target = self._operand()
            if not found[1].endswith("&") or target.strip("-0123456789"):
                files.append(target)
        else:
            return False
        return True

    def _operand(self) -> str:
        self._take(_BLANK)
        return self._word()

    def _read_bodies(self) -> None:
        for command, last, tabs in self._bodies:
            end = re.compile(rf"^{'	*' if tabs else ''}{re.escape(last)}$", re.MULTILINE)
            found = end.search(self._text, self._at)
            stop, after = found.span() if found else (len(self._text),) * 2
            command.stdin = self._text[self._at : stop]
            self._at = after
        self._bodies.clear()

    def _word(self) -> str:
        """Read a word, which may be empty only where an operator stands."""
        parts: list[str] = []
        while self._at < len(self._text):
            if plain := self._take(_PLAIN):
                parts.append(plain[0])
            elif self._next("'"):
                stop = self._find("'", self._at + 1)
                parts.append(self._text[self._at + 1 : stop])
                self._at = stop + 1
            elif ansi := self._take(_ANSI):
                parts.append(ansi[1])
            elif self._next('"'):
                self._at += 1
                parts.append(self._quoted())
            elif self._next("\\"):
                parts.append(self._text[self._at + 1 : self._at + 2].strip("\n"))
                self._at += 2
            elif self._text.startswith(("<(", ">("), self._at) or self._next("$", "`"):
                parts.append(self._substitution())
            else:
                break
        return "".join(parts)

    def _quoted(self) -> str:
        """Read on to the closing double quote."""
        parts: list[str] = []
        while self._at < len(self._text):
            if plain := self._take(_DOUBLE_PLAIN):
                parts.append(plain[0])
            elif self._next("\\"):
                after = self._text[self._at + 1 : self._at + 2]
                parts.append(after if after in {'"', "\\", "$", "`"} else f"\\{after}")
                self._at += 2
            elif self._next('"'):
                self._at += 1
                break
            else:
                parts.append(self._substitution())
        return "".join(parts)

    def _substitution(self) -> str:
        """Read `$(...)`, a process substitution or backquotes into `found`; return their text."""
        begun = self._at
        if self._text.startswith("$((", begun):  # arithmetic, in which << is no here-document
            self._at = min(len(self._text), self._find("))") + 2)
        elif self._next("`"):
            stop = self._find("`", begun + 1)
            self._at = stop + 1
            self._nest(_Reader(self._text[begun + 1 : stop], self._depth + 1))
        elif self._text.startswith(("$(", "<(", ">("), begun) and self._depth < _DEEPEST:
            self._at += 2
            self._depth += 1
            self.found.append(OPEN)
            self.read_list(nested=True)
            self.found.append(CLOSE)
            self._depth -= 1
        else:
            self._at += 1
        return self._text[begun : self._at]

    def _nest(self, inner: "_Reader") -> None:
        if self._depth < _DEEPEST:
            inner.read_list()
            self.found += [OPEN, *inner.found, CLOSE]

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def _next(self, *characters: str) -> bool:
        return self._text.startswith(characters, self._at)

    def _find(self, character: str, start: int | None = None) -> int:
        """Return where a character next stands, or the end."""
        found = self._text.find(character, self._at if start is None else start)
        return len(self._text) if found < 0 else found

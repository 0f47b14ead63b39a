"""One simple command of a script, and what its words name."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Self

_INTERPRETERS = re.compile(r"(?:python|pypy)[\d.]*|node|nodejs|deno|bun|ruby|perl|php")
_CODE_OPTION = re.compile(r"-\w*[ce]|--eval|-p")
_GIT_VALUED = frozenset(("-C", "-c", "--git-dir", "--work-tree", "--namespace"))


@dataclass(kw_only=True)
class Command:
    """One simple command, its words without their quotes; they change until its name is asked for."""

    words: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    """Files that redirections write."""
    reads: list[str] = field(default_factory=list)
    stdin: str = ""
    """A here-document or here-string."""
    source: Self | None = None
    """The command whose output is piped in; the `find` that runs this one."""

    @cached_property
    def name(self) -> str:
        """The program's name without its folder, empty where there is none."""
        return self.words[0].rpartition("/")[2] if self.words else ""

    @cached_property
    def code(self) -> str:
        """The code that is handed to an interpreter, as an argument or on its input."""
        if not _INTERPRETERS.fullmatch(self.name):
            return ""
        for option, code in pairwise(self.words):
            if _CODE_OPTION.fullmatch(option):
                return code
        return self.stdin

    @cached_property
    def git(self) -> tuple[str, list[str]]:
        """Git's subcommand and its arguments; two empty ones where it is another program."""
        words = self.words[1:] if self.name == "git" else []
        at = 0
        while at < len(words) and words[at].startswith("-"):
            at += 2 if words[at] in _GIT_VALUED else 1
        return (words[at], words[at + 1 :]) if at < len(words) else ("", [])


OPEN, CLOSE = Command(words=["("]), Command(words=[")"])
"""Stand around the commands of a subshell: what changes in it, such as the folder, ends with it."""

"""What a script would run: its commands without wrappers, and those inside other commands."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from evalkit.grading.audit.command import CLOSE, OPEN, Command
from evalkit.grading.audit.lexer import read_script

_RESERVED = frozenset(("if", "then", "elif", "else", "while", "until", "do", "!", "{", "time"))
_WRAPPERS = frozenset(
    ("sudo", "env", "nohup", "command", "exec", "builtin", "timeout", "xargs", "nice", "stdbuf")
)
_ASSIGNMENT = re.compile(r"\w+=")
_WRAPPER_OPTION = re.compile(r"-.*|\w+=.*|[\d.]+[smhd]?|\{\}", re.DOTALL)
_SHELLS = frozenset(("bash", "sh", "dash", "zsh", "ash", "ksh", "su"))
_RUN_BY_CODE = re.compile(
    r"""\b(?:system|popen|Popen|run|call|check_call|check_output|getoutput|exec|execSync)\(\s*
        (?: \[ (?P<list>[^\]]{0,2000}) \] | (?P<quote>['"]) (?P<text>[^\n]{0,2000}?) (?P=quote) )""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"""(['"])([^'"\n]*)\1""")
_DEEPEST = 5


def commands_of(script: str, depth: int = 0) -> Iterator[Command]:
    """Yield the commands a script would run, those of scripts inside it between OPEN and CLOSE."""
    if depth > _DEEPEST:
        return
    for command in read_script(script):
        if command is OPEN or command is CLOSE:
            yield command
            continue
        if "xargs" not in command.words:
            command.source = None
        command.words = _bare(command.words)
        yield command
        for inner in _scripts_inside(command):
            yield OPEN
            yield from commands_of(inner, depth + 1)
            yield CLOSE
        for words in _commands_of_find(command):
            yield Command(words=words, source=command)


def operands(words: Iterable[str], valued: frozenset[str] = frozenset()) -> list[str]:
    """Return the words that are no option, nor the value of an option in `valued`."""
    found, before = [], ""
    for word in words:
        if not word.startswith("-") and before not in valued:
            found.append(word)
        before = word
    return found


def _bare(words: list[str]) -> list[str]:
    """Drop reserved words, assignments and wrappers such as `timeout 60` from the front."""
    at = 0
    while at < len(words):
        if words[at].rpartition("/")[2] in _WRAPPERS:
            at += 1
            while at < len(words) and _WRAPPER_OPTION.fullmatch(words[at]):
                at += 1
        elif words[at] in _RESERVED or _ASSIGNMENT.match(words[at]):
            at += 1
        else:
            break
    return words[at:]


def _scripts_inside(command: Command) -> list[str]:
    """Return the scripts that the command hands to a shell, code's calls of one included."""
    name, words = command.name, command.words
    if name == "eval":
        return [" ".join(words[1:])]
    if name in _SHELLS:
        for option, script in pairwise(words):
            if re.fullmatch(r"-\w*c", option):
                return [script]
        return [command.stdin]
    return [
        " ".join(f"'{text}'" for _, text in _QUOTED.findall(call["list"]))
        if call["list"] is not None
        else call["text"]
        for call in _RUN_BY_CODE.finditer(command.code)
    ]


def _commands_of_find(command: Command) -> list[list[str]]:
    """Return what `find` runs on each file, without the `{}`."""
    found: list[list[str]] = []
    if command.name != "find":
        return found
    running = False
    for word in command.words:
        if word in {"-exec", "-execdir", "-ok"}:
            found.append([])
            running = True
        elif word in {";", "+"}:
            running = False
        elif running and word != "{}":
            found[-1].append(word)
    return [_bare(words) for words in found]

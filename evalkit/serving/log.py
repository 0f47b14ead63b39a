"""What an engine has written since its start, read once, line by line, while it is written."""

import codecs
import os
import re
from collections import deque
from pathlib import Path

from evalkit.serving.phases import Progress

_READ = 1 << 20
_KEPT_LINES = 200
_KEPT_CHARS = 2000  # of a line: vLLM logs its whole configuration in one
_KEPT_CAUSES = 20
_SHOWN_LINES, _SHOWN_CHARS = 15, 300
# The line that names the cause often stands far above the end of the log.
# Warnings that merely mention an error do not count.
_CAUSE = re.compile(r"^(?!.*\b(?:INFO|WARNING)\b).*?(\b\w*(?:Error|Exception): \S.*)")


class EngineLog:
    """A log from where it stood when this was made; a file that is moved away is read to its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.progress = Progress()
        self._file = path.open("ab+", buffering=0)  # which stands at its end
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._causes: list[str] = []

    def close(self) -> None:
        """Let go of the file; what was read stays known."""
        self.read()
        self._file.close()

    def read(self) -> None:
        """Take in what was written since the last time."""
        if self._file.closed:
            return
        self._take_in()
        if self._was_moved():
            self._take_in()  # written between the last look and the move
            self._file.close()
            self._file = self.path.open("rb", buffering=0)
            self._take_in()

    def _was_moved(self) -> bool:
        try:
            return not os.path.samestat(self.path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:  # just moved, not yet made anew
            return False

    def _take_in(self) -> None:
        while data := self._file.read(_READ):
            *whole, self._rest = re.split(r"[\r\n]+", self._rest + self._decode(data))
            for line in whole:
                self._add(line)
            self._rest = self._rest[:_KEPT_CHARS]

    def _add(self, line: str) -> None:
        line = line[:_KEPT_CHARS]
        if not line.strip():
            return
        self._lines.append(line)
        self.progress = self.progress.after(line)
        cause = _CAUSE.match(line)
        if cause and len(self._causes) < _KEPT_CAUSES and cause[1] not in self._causes:
            self._causes.append(cause[1])

    def written(self) -> str:
        """Return the errors it named, the first first, and its last lines."""
        self.read()
        return "\n".join([*self._causes, *self._lines, self._rest]).strip()

    def end(self) -> str:
        """Return what to show of it: the first error, where the last lines do not hold it."""
        self.read()
        last = [line for line in (*self._lines, self._rest) if line.strip()][-_SHOWN_LINES:]
        shown = [line[:_SHOWN_CHARS] for line in last]
        cause = self._causes[0][:_SHOWN_CHARS] if self._causes else ""
        if cause and not any(cause in line for line in shown):
            shown = [f"first error: {cause}", *shown]
        return "\n".join([*shown, f"(whole log: {self.path})"])

"""A file of the host that nothing under test may read or change."""

import os
import secrets
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_LONG_AGO = 1  # a read moves the access time only where it is not after that of the last write


class Canary:
    """A secret in a folder of its own, beside which nothing may appear."""

    def __init__(self, folder: Path) -> None:
        self.secret = secrets.token_hex(24)
        self.path = folder / "canary"
        self.path.write_text(self.secret)
        self.path.chmod(0o600)
        self._rest()

    def absent_from(self, artefact: T) -> T:
        """Return a patch, a job's result or evidence, in which the secret must not be."""
        assert self.secret not in repr(artefact)
        return artefact

    def untouched(self) -> bool:
        """Whether since the last call nobody read or changed the file or put anything beside it."""
        whole = self._facts() == self._before and self.path.read_text() == self.secret
        self._rest()
        return whole

    def copies(self, artefacts: Path) -> list[Path]:
        """Return the other files below a folder that hold the secret."""
        secret = self.secret.encode()
        files = (path for path in artefacts.rglob("*") if path.is_file() and path != self.path)
        return [path for path in files if secret in path.read_bytes()]

    def _rest(self) -> None:
        os.utime(self.path, (_LONG_AGO, _LONG_AGO))
        self._before = self._facts()

    def _facts(self) -> tuple[object, ...]:
        found = self.path.lstat()
        times = (found.st_atime_ns, found.st_mtime_ns)
        beside = sorted(path.name for path in self.path.parent.iterdir())
        return (found.st_ino, found.st_mode, found.st_nlink, found.st_uid, *times, *beside)

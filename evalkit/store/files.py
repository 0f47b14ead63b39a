"""Writes that outlive a kill and a power cut whole, and wait where the disk is full."""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from evalkit.errors import StoreError

FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
_ROOM = 4096


class Files:
    """Each write is on the disk, with the name of its file, when it returns.

    `await_room` is told of a full disk, may take its time, and says whether to try again.
    Raises StoreError, naming the file, for everything else.
    """

    def __init__(self, await_room: Callable[[StoreError], bool]) -> None:
        self._await_room = await_room

    def append(self, path: Path, text: bytes) -> None:
        """Append lines whole: of a write that fails nothing stays."""
        self.insist(path, lambda: _append(path, text))

    def replace(self, folder: Path, contents: Mapping[str, bytes]) -> None:
        """Put contents in the place of files of a folder, by name, each at once."""
        self.insist(folder, lambda: _replace(folder, contents))

    def folder(self, path: Path) -> None:
        """Make a folder with its parents."""
        if not path.is_dir():
            self.insist(path, lambda: _make_folder(path))

    def insist(self, path: Path, write: Callable[[], None]) -> None:
        """Write, again each time that there is room once more."""
        while True:
            try:
                with store_errors(path):
                    return write()
            except StoreError as error:
                cause = error.__cause__
                full = isinstance(cause, OSError) and cause.errno in FULL
                if not full or not self._await_room(error):
                    raise


class Lines:
    """A file held open, to which lines come quickly; they are on the disk when it is closed."""

    def __init__(self, path: Path, files: Files) -> None:
        self._path, self._files = path, files
        files.append(path, b"")
        with store_errors(path):
            self._file = path.open("ab", buffering=0)

    def write(self, line: bytes) -> None:
        """Write a line whole, waiting for room where there is none."""
        self._files.insist(self._path, lambda: _write(self._file.fileno(), line))

    def close(self) -> None:
        """Bring everything to the disk."""
        with store_errors(self._path), self._file:
            os.fsync(self._file.fileno())


def cut_torn_line(path: Path) -> int:
    """Cut off a last line without its end, which a kill left; return its length in bytes."""
    with store_errors(path):
        if not path.exists():
            return 0
        with path.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            whole = _end_of_last_line(file.fileno(), size)
            if whole < size:
                file.truncate(whole)
                os.fsync(file.fileno())
            return size - whole


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn OSError into a StoreError that names the path."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error


def _append(path: Path, text: bytes) -> None:
    is_new = not path.exists()
    with path.open("ab", buffering=0) as file:
        _write(file.fileno(), text, then=os.fsync)
    if is_new:
        _sync_folder(path.parent)


def _write(fd: int, text: bytes, then: Callable[[int], None] = lambda _: None) -> None:
    before = os.fstat(fd).st_size
    try:
        done = 0
        while done < len(text):
            done += os.write(fd, text[done:])
        then(fd)
    except OSError:
        os.ftruncate(fd, before)
        raise


def _replace(folder: Path, contents: Mapping[str, bytes]) -> None:
    for name, content in contents.items():
        aside = folder / f".{name}.new"
        with aside.open("wb", buffering=0) as file:
            _write(file.fileno(), content, then=os.fsync)
        aside.replace(folder / name)
    _sync_folder(folder)


def _make_folder(path: Path) -> None:
    missing = [one for one in (path, *path.parents) if not one.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for one in missing:
        _sync_folder(one.parent)


def _sync_folder(path: Path) -> None:
    """Bring the names in a folder to the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _end_of_last_line(fd: int, size: int) -> int:
    end = size
    while end:
        begin = max(0, end - _ROOM)
        found = os.pread(fd, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0

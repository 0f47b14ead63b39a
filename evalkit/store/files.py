"""Writes that outlive a kill and a power cut whole, and wait where the disk is full."""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from evalkit.errors import StoreError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
HINT = "choose another folder with -o; a run that began goes on with --resume once this is mended"
_UNKNOWN_TO_FOLDERS = frozenset((errno.EINVAL, errno.ENOTSUP))
"""What file systems answer that keep no names back, and so bring none to the disk."""
_ROOM = 4096
_OVERWRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_APPEND = os.O_RDWR | os.O_CREAT | os.O_APPEND


class Files:
    """Each write is on the disk, with the name of its file, when it returns.

    `await_room` is told of a full disk, may take its time, and says whether to try again.
    Raises StoreError, naming the file, for everything else, and once `close` was called.
    """

    def __init__(self, await_room: Callable[[StoreError], bool]) -> None:
        self._await_room = await_room
        self._closed = False

    def close(self) -> None:
        """Refuse what is still to be written."""
        self._closed = True

    def replace(
        self, folder: str, contents: Mapping[str, bytes | None], *, aside: bool = True
    ) -> None:
        """Put contents in the place of files of a folder, which is made, by name; None removes one.

        Written aside and renamed, each is whole at every instant; those that nothing refers to
        yet can do without.
        """
        write = partial(_replace, folder, contents, aside=aside)
        try:
            self.insist(folder, write)
        except StoreError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            self.folder(Path(folder))
            self.insist(folder, write)

    def sync_names(self, folder: str) -> None:
        """Bring the names in a folder to the disk."""
        self.insist(folder, _sync_folder, folder)

    def rename(self, path: Path, new: Path) -> None:
        """Rename; what is next made in that folder brings it to the disk."""
        self.insist(path, path.rename, new)

    def folder(self, path: Path) -> None:
        """Make a folder with its parents."""
        with store_errors(path):
            if path.is_dir():
                return
            missing = list(takewhile(lambda one: not one.is_dir(), (path, *path.parents)))
        self.insist(path, _make_folder, path, missing)

    def insist(self, path: Path | str, write: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Write, again each time that there is room once more."""
        while True:
            if self._closed:
                raise StoreError(f"{path} is closed, and the run is over")
            try:
                return write(*arguments)
            except OSError as error:
                told = _store_error(path, error)
                if error.errno not in FULL or not self._await_room(told):
                    raise told from error


class Lines:
    """A file held open, to which lines are added whole: of one that fails nothing stays.

    A line is on the disk when `write` returns, unless one was in the `sync_s` seconds before; then
    with one that is written later, or with `close`. Of a `new` file, in a folder whose names are
    synced later, no line can be torn.
    """

    def __init__(
        self, path: Path | str, files: Files, *, sync_s: float = 0.0, new: bool = False
    ) -> None:
        self._path, self._files, self._sync_s = path, files, sync_s
        self._fd = files.insist(path, lambda: _open_lines(path, new=new))
        self._end = self._synced = 0 if new else os.fstat(self._fd).st_size
        self._synced_at = 0.0
        self._torn = self._closed = False
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Write a line, waiting for room where there is none."""
        with self._lock:
            if self._closed:
                raise StoreError(f"{self._path} is closed")
            self._files.insist(self._path, self._add, line)

    def close(self) -> None:
        """Bring everything to the disk; once is enough."""
        with self._lock:
            if self._closed:
                return
            try:
                if self._synced < self._end:
                    self._files.insist(self._path, os.fsync, self._fd)
            finally:
                self._closed = True
                os.close(self._fd)

    def _add(self, line: bytes) -> None:
        if self._torn:  # what a failed try left goes first
            os.ftruncate(self._fd, self._end)
        self._torn = True
        now = time.monotonic()
        due = now - self._synced_at >= self._sync_s
        try:
            _write(self._fd, line)
            if due:
                os.fsync(self._fd)
        except BaseException:  # a signal, too, may come between two writes
            os.ftruncate(self._fd, self._end)
            raise
        self._torn = False
        self._end += len(line)
        if due:
            self._synced, self._synced_at = self._end, now


def cut_torn_line(path: Path) -> int:
    """Cut off a last line without its end, which a kill left; return its length in bytes."""
    with store_errors(path):
        if not path.exists():
            return 0
        with path.open("rb+") as file:
            return _cut_torn_line(file.fileno())


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn OSError into a StoreError that names the path."""
    try:
        yield
    except OSError as error:
        raise _store_error(path, error) from error


def _store_error(path: Path | str, error: OSError) -> StoreError:
    return StoreError(f"cannot write {error.filename or path}: {error.strerror}", hint=HINT)


def _open_lines(path: Path | str, *, new: bool) -> int:
    """Open a file for whole lines; of one that is not `new` the name is on the disk, too."""
    fd = os.open(path, _APPEND, 0o666)
    try:
        if not new:
            _cut_torn_line(fd)
            _sync_folder(Path(path).parent)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _write(fd: int, text: bytes) -> None:
    done = os.write(fd, text)
    while done < len(text):
        done += os.write(fd, text[done:])


def _replace(folder: str, contents: Mapping[str, bytes | None], *, aside: bool) -> None:
    """Write all, then wait for the disk, then rename what was written aside."""
    form = "{}/.{}.new" if aside else "{}/{}"
    name, files = "", dict[str, int]()
    try:
        for name, content in contents.items():
            if content is not None:
                # One that a kill left is written over.
                files[name] = os.open(form.format(folder, name), _OVERWRITE, 0o666)
                _write(files[name], content)
        for name in list(files)[:-1]:
            _begin_sync(files[name])
        for name in reversed(files):
            os.fsync(files[name])
        for name in contents:
            if name not in files:
                Path(folder, name).unlink(missing_ok=True)
            elif aside:
                Path(form.format(folder, name)).rename(f"{folder}/{name}")
    except OSError as error:
        error.filename = f"{folder}/{name}"
        raise
    finally:
        for fd in files.values():
            os.close(fd)
    _sync_folder(folder)


def _begin_sync(fd: int) -> None:
    """Let the disk begin with a file, so that several are written while another is waited for.

    Linux does so by this advice (generic_fadvise in its mm/fadvise.c); macOS has no such call.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def _make_folder(path: Path, missing: Iterable[Path]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for one in missing:
        _sync_folder(one.parent)


def _sync_folder(path: Path | str) -> None:
    """Bring the names in a folder to the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _UNKNOWN_TO_FOLDERS:
            raise
    finally:
        os.close(fd)


def _cut_torn_line(fd: int) -> int:
    size = os.fstat(fd).st_size
    whole = _end_of_last_line(fd, size)
    if whole < size:
        os.ftruncate(fd, whole)
        os.fsync(fd)
    return size - whole


def _end_of_last_line(fd: int, size: int) -> int:
    end = size
    while end:
        begin = max(0, end - _ROOM)
        found = os.pread(fd, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0

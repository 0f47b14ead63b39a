"""Things that are fetched once and kept under the cache."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

from evalkit.errors import TaskError


def fetched_once(folder: Path, fetch: Callable[[Path], None]) -> Path:
    """Return `folder`, made by `fetch` unless it is there.

    `fetch` fills a folder aside, renamed once it is whole: one that was killed leaves nothing
    that counts, and of two processes one waits for the other. Raises TaskError where the cache
    cannot be written.
    """
    if folder.is_dir():  # also in a cache that is read-only
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_name(f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                _make(folder, fetch)
    except OSError as error:
        raise TaskError(
            f"{folder} cannot be stored: {error.strerror}",
            hint="free some space, or see its rights",
        ) from error
    return folder


def _make(folder: Path, fetch: Callable[[Path], None]) -> None:
    aside = folder.with_name(f"{folder.name}.part")
    if aside.exists():  # of one that was killed
        shutil.rmtree(aside)
    aside.mkdir()
    fetch(aside)
    aside.rename(folder)

"""Files that others publish: had once, at a pinned version, and kept under the cache."""

import fcntl
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalkit.errors import SourceError

# The user's own git settings stand (a proxy, say) but for those that would change bytes, wait for
# an answer or leave something running.
_GIT_SETTINGS = (
    "core.autocrlf=false",
    "core.attributesFile=/dev/null",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=true",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "fetch.fsckObjects=false",
    "transfer.fsckObjects=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
)


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """Files and folders of a public git repository at one commit."""

    what: str
    """The name of it all, for messages."""
    repository: str
    """A URL, for git."""
    commit: str
    """40 hex digits."""
    paths: Sequence[str]
    instead: str
    """What a user can do where they cannot be fetched."""

    def fetch(self, folder: Path, say: Callable[[str], None]) -> Path:
        """Return `folder` with the files in it, fetched unless it is there.

        Raises SourceError with what git said where it fails.
        """

        def fetch(aside: Path) -> None:
            say(f"fetching the {self.what} of {self.repository} at {self.commit[:12]}, once")
            self._check_out(aside)

        return fetched_once(folder, fetch)

    def _check_out(self, folder: Path) -> None:
        self._git(folder, "init", "--quiet", "--template=", "--object-format=sha1", str(folder))
        self._git(folder, "remote", "add", "origin", self.repository)
        # No file that was ever needed passes 1 MiB; one that is not has 25.
        only = ("--depth=1", "--no-tags", "--filter=blob:limit=1m")
        self._git(folder, "fetch", "--quiet", *only, "origin", self.commit)
        self._git(folder, "checkout", "--quiet", self.commit, "--", *self.paths)
        shutil.rmtree(folder / ".git")

    def _git(self, folder: Path, *arguments: str) -> None:
        settings = [part for setting in _GIT_SETTINGS for part in ("-c", setting)]
        place = [f"--git-dir={folder / '.git'}", f"--work-tree={folder}"]
        try:
            done = subprocess.run(
                ["git", *place, *settings, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise SourceError(f"git cannot be started: {error}", hint=self.instead) from error
        if done.returncode != 0:
            said = " ".join(done.stderr.split())
            raise SourceError(
                f"git {arguments[0]} failed for the {self.what}: {said}", hint=self.instead
            )


def fetched_once(folder: Path, fetch: Callable[[Path], None]) -> Path:
    """Return `folder`, made by `fetch` unless it is there.

    `fetch` fills a folder aside, renamed once it is whole: one that was killed leaves nothing
    that counts, and of two processes one waits for the other. Raises SourceError where the cache
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
        raise SourceError(
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

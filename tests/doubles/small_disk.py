"""A real file system of a few MiB on a loop device, which a test may fill. Needs root."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CHUNKS = (2**16, 1)


class SmallDisk:
    """Where it is mounted, and the ballast on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self, but: int = 0) -> None:
        """Write until no byte more has room; take away `but` bytes again."""
        with self._ballast.open("wb", buffering=0) as ballast:
            for chunk in _CHUNKS:
                with suppress(OSError):
                    while True:
                        ballast.write(bytes(chunk))
            ballast.truncate(ballast.tell() - but)

    def empty(self) -> None:
        """Make room."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, *, mib: int = 8, options: str = "loop") -> Iterator[SmallDisk]:
    """Mount an empty ext4 beside its image in `folder`; nothing of it is kept for root."""
    image, mounted = folder / "disk.img", folder / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(mib * 2**20)
    _run("mkfs.ext4", "-q", "-m", "0", str(image))
    _run("mount", "-o", options, str(image), str(mounted))
    try:
        yield SmallDisk(mounted)
    finally:
        _run("umount", "--lazy", str(mounted))


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"

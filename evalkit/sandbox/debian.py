"""A Debian image made here, for where no registry answers: debootstrap, then import."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shutil import which
from typing import IO, TYPE_CHECKING

from evalkit.errors import ImageError
from evalkit.sandbox.archive import CHUNK
from evalkit.sandbox.daemon import docker_errors, look_at_image

if TYPE_CHECKING:
    from docker import APIClient

LOG_LINES = 20


def bootstrap(
    client: "APIClient",
    tag: str,
    packages: Sequence[str],
    suite: str,
    say: Callable[[str], None],
) -> None:
    """Make `tag` (name:version) from Debian's archive: the minimal system and `packages`.

    Takes about 45 s. Raises ImageError without root, without debootstrap, or where it fails.
    """
    if which("debootstrap") is None or os.geteuid() != 0:
        raise ImageError(
            f"image {tag} needs a registry that answers, or root and debootstrap",
            hint="as root: apt-get install debootstrap",
        )
    with tempfile.TemporaryDirectory(prefix="evalkit-base-") as folder:
        root = Path(folder, "root")
        say(f"debootstrap {suite} with {', '.join(packages)}")
        _debootstrap(root, packages, suite)
        say(f"importing {tag}")
        _import(client, root, tag)


def _debootstrap(root: Path, packages: Sequence[str], suite: str) -> None:
    argv = ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite, str(root)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        log = done.stdout.decode("utf-8", "replace").splitlines()[-LOG_LINES:]
        raise ImageError("\n".join([f"debootstrap ended with {done.returncode}", *log]))
    for package in (root / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()


def _import(client: "APIClient", root: Path, tag: str) -> None:
    name, _, version = tag.rpartition(":")
    argv = ["tar", "--create", "--numeric-owner", "--directory", str(root), "."]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as tar:
        assert tar.stdout is not None
        with docker_errors(f"cannot import {tag}", ImageError):
            answer = client.import_image_from_data(
                _whole(tar.stdout, tar), repository=name, tag=version, changes=['CMD ["bash"]']
            )
    if look_at_image(client, tag) is None:
        raise ImageError(f"cannot import {tag}: {answer}")


def _whole(source: IO[bytes], tar: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """Yield the archive; fail before its end is sent where tar failed."""
    while chunk := source.read(CHUNK):
        yield chunk
    if tar.wait() != 0:
        raise ImageError(f"tar ended with {tar.returncode}")

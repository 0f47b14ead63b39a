"""Each instance's own run script and parser, from the official repository at a pinned commit."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from evalkit.errors import TaskError
from evalkit.sources import Pinned
from evalkit.types import Record

_LOCAL = "--set suite.scripts=DIR takes a checkout that you have"
_FOLDERS = ("run_scripts", "dockerfiles")


class Scripts(Record):
    """What the official evaluator puts into an instance's container beside the patch."""

    run_script: bytes
    parser: bytes
    exports: tuple[str, ...]
    """An `export …` line for each ENV line: of the base Dockerfile, then of the instance's."""


def fetch_scripts(repository: str, commit: str, cache: Path, say: Callable[[str], None]) -> Path:
    """Return a folder with the commit's run scripts and Dockerfiles, fetched once.

    Raises SourceError with what git said where it fails.
    """
    pinned = Pinned(
        what="run scripts", repository=repository, commit=commit, paths=_FOLDERS, instead=_LOCAL
    )
    return pinned.fetch(cache / "swebench-pro" / commit, say)


def local_scripts(folder: Path) -> Path:
    """Return the user's checkout. Raises TaskError where it is none."""
    for name in _FOLDERS:
        if not (folder / name).is_dir():
            raise TaskError(
                f"{folder} has no folder {name}",
                hint="suite.scripts wants a checkout of scaleapi/SWE-bench_Pro-os",
            )
    return folder


def load_scripts(root: Path, instance_id: str) -> Scripts:
    """Read an instance's scripts as the official evaluator would write them into its container.

    Raises TaskError naming what is missing. `instance_id` is one of a checked row.
    """
    run_script, parser, *dockerfiles = (_text(root, path) for path in _paths(instance_id))
    lines = [line.strip() for text in dockerfiles for line in text.split("\n")]
    return Scripts(
        run_script=run_script.encode(),
        parser=parser.encode(),
        exports=tuple(line.replace("ENV", "export", 1) for line in lines if line.startswith("ENV")),
    )


def scripts_sha256(root: Path, instance_ids: Iterable[str]) -> str:
    """Return the sha256 over names and bytes of all files used for these instances."""
    digest = hashlib.sha256()
    for instance_id in instance_ids:
        for path in _paths(instance_id):
            content = hashlib.sha256(_bytes(root, path)).hexdigest()
            digest.update(f"{path} {content}\n".encode())
    return digest.hexdigest()


def _paths(instance_id: str) -> tuple[str, ...]:
    return (
        f"run_scripts/{instance_id}/run_script.sh",
        f"run_scripts/{instance_id}/parser.py",
        f"dockerfiles/base_dockerfile/{instance_id}/Dockerfile",
        f"dockerfiles/instance_dockerfile/{instance_id}/Dockerfile",
    )


def _text(root: Path, path: str) -> str:
    try:
        text = _bytes(root, path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise TaskError(f"{root / path} is not UTF-8: {error}") from error
    # The official evaluator reads in text mode, where every line end becomes a newline.
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _bytes(root: Path, path: str) -> bytes:
    try:
        return (root / path).read_bytes()
    except OSError as error:
        raise TaskError(f"the scripts lack {path}: {error.strerror}", hint=_LOCAL) from error

"""Files across the border, as tar streams through the daemon; nothing is unpacked on the host."""

import base64
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from evalkit.sandbox.daemon import check_answer, docker_errors

if TYPE_CHECKING:
    from docker import APIClient

CHUNK = 2**20

# Bits of Go's os.FileMode, in which the daemon reports modes.
_GO_DIR = 1 << 31
_GO_NOT_REGULAR = _GO_DIR | 1 << 27 | 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19


@dataclass(frozen=True)
class Stat:
    """What lies at a path in a container; a symlink there is not followed."""

    size: int
    is_dir: bool
    is_regular: bool


def _url(client: "APIClient", container_id: str) -> str:
    return f"{client.base_url}/v{client.api_version}/containers/{container_id}/archive"


def _parse_stat(header: str) -> Stat:
    raw = json.loads(base64.b64decode(header))
    mode = raw["mode"]
    return Stat(raw["size"], bool(mode & _GO_DIR), not mode & _GO_NOT_REGULAR)


def stat(client: "APIClient", container_id: str, path: str) -> Stat | None:
    """Look at a path; None where nothing is there."""
    with docker_errors(f"cannot look at {path} in container {container_id[:12]}"):
        url = _url(client, container_id)
        response = client.head(url, params={"path": path}, timeout=client.timeout)
        if response.status_code == 404:
            return None
        check_answer(response)
    return _parse_stat(response.headers["X-Docker-Container-Path-Stat"])


@contextmanager
def export(client: "APIClient", container_id: str, path: str) -> Iterator[Iterator[bytes]]:
    """Open the tar stream of a file or a folder."""
    with docker_errors(f"cannot export {path} from container {container_id[:12]}"):
        url = _url(client, container_id)
        with client.get(
            url, params={"path": path}, stream=True, timeout=client.timeout
        ) as response:
            check_answer(response)
            yield response.iter_content(CHUNK)


def read_regular(client: "APIClient", container_id: str, path: str, limit: int) -> bytes | None:
    """Read a regular file of at most `limit` bytes; None for anything else that may be there."""
    found = stat(client, container_id, path)
    if found is None or not found.is_regular or found.size > limit:
        return None
    with export(client, container_id, path) as chunks:
        return _only_member(b"".join(chunks), limit)


def _only_member(archive: bytes, limit: int) -> bytes | None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.next()
        if member is None or not member.isreg() or member.size > limit:
            return None
        content: IO[bytes] | None = tar.extractfile(member)
        return content.read() if content else None


def place_files(
    client: "APIClient",
    container_id: str,
    files: Mapping[str, bytes],
    folders: Iterable[str] = (),
) -> None:
    """Write files (mode 755, root's), and make the folders and parents that are missing.

    In one request: for each the daemon starts a program of its own.
    """
    missing = [folder for folder in folders if stat(client, container_id, folder) is None]
    place_tree(client, container_id, "/", [pack(files, folders=missing)])


def place_tree(client: "APIClient", container_id: str, folder: str, tar: Iterable[bytes]) -> None:
    """Unpack a tar stream into a folder that is there."""
    # An iterator goes out in chunks; an empty chunk would end the request early.
    body = (chunk for chunk in tar if chunk)
    with docker_errors(f"cannot place files in {folder} of container {container_id[:12]}"):
        client.put_archive(container_id, folder, body)


def pack(files: Mapping[str, bytes], mode: int = 0o755, folders: Iterable[str] = ()) -> bytes:
    """Return a tar archive of `files` and `folders`, whose names may be absolute paths."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in folders:
            made: Any = tarfile.TarInfo(folder.strip("/"))
            made.type, made.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(made)
        for path, content in files.items():
            member: Any = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()

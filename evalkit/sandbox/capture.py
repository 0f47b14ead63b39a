"""The patch: tree against tree, made in a clean container. Nothing in the sandbox is trusted.

The working tree leaves the sandbox as a tar stream and goes into a job on the same untouched
image; capture.sh there compares it with the tree the image came with.
"""

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING

from evalkit.errors import SandboxError
from evalkit.protocols import Job, JobResult
from evalkit.sandbox.archive import export, stat
from evalkit.sandbox.jobs import run_job
from evalkit.types import Limits, Task

if TYPE_CHECKING:
    from docker import APIClient

EXPORT_LIMIT = 8 * 2**30
LIMITS = Limits(cpus=2, memory_mib=4096, pids=512, seconds=900)

_BINARY = "/evalkit/binary.diff"
_SECTION = b"diff --git "


def capture_patch(
    client: "APIClient", container_id: str, task: Task, labels: Mapping[str, str]
) -> str:
    """Return the difference between the image's tree at `task.workdir` and the container's.

    Empty where there is none. Past 16 MiB only the beginning is returned, which is over any limit
    on a patch. Raises SandboxError where Docker fails or the image has no git.
    """
    script = files("evalkit.sandbox").joinpath("capture.sh").read_text(encoding="utf-8")
    with _tree(client, container_id, task.workdir) as tree:
        job = Job(
            image=task.image,
            script=script,
            workdir=task.workdir,
            trees={"/evalkit/tree": tree},
            collect=(_BINARY,),
            limits=LIMITS,
        )
        result = run_job(client, job, labels, user="0")
    _check(result, task)
    return _utf8(result.stdout, result.collected[_BINARY] or b"")


@contextmanager
def _tree(client: "APIClient", container_id: str, workdir: str) -> Iterator[Iterable[bytes]]:
    found = stat(client, container_id, f"{workdir}/.")
    if found is None or not found.is_dir:  # the agent removed it
        buffer = io.BytesIO()
        tarfile.open(fileobj=buffer, mode="w").close()
        yield [buffer.getvalue()]
        return
    with export(client, container_id, f"{workdir}/.") as chunks:
        yield _bounded(chunks)


def _bounded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass chunks on; a file may claim more bytes than any disk holds."""
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > EXPORT_LIMIT:
            raise SandboxError(f"the working tree is over {EXPORT_LIMIT // 2**30} GiB")
        yield chunk


def _check(result: JobResult, task: Task) -> None:
    if result.exit_code == 0:
        return
    how = "took too long" if result.timed_out else f"ended with {result.exit_code}"
    if result.exit_code == 127:
        how = "found no git in the image"
    detail = result.stderr[-2000:].decode("utf-8", "replace").strip()
    raise SandboxError(f"patch capture on {task.image} {how}: {detail}")


def _utf8(text: bytes, binary: bytes) -> str:
    """Return the patch, each file that is not UTF-8 from `binary`, where all are git binary."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        pairs = zip(_sections(text), _sections(binary), strict=False)
        # What is not UTF-8 even now can only be the target of a symlink.
        return b"".join(_utf8_section(*pair) for pair in pairs).decode("utf-8", "replace")


def _sections(patch: bytes) -> list[bytes]:
    """Cut a patch into its files. No line of content can begin as a header does."""
    first, *rest = patch.split(b"\n" + _SECTION)
    sections = [first, *(_SECTION + section for section in rest)]
    return [section + b"\n" for section in sections[:-1]] + sections[-1:]


def _utf8_section(text: bytes, binary: bytes) -> bytes:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return binary
    return text

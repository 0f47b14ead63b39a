"""A job: one script as the main process of a fresh container, watched from before its start."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from typing import TYPE_CHECKING

from evalkit.errors import ImageError, SandboxError
from evalkit.protocols import Job, JobResult
from evalkit.sandbox.archive import pack, place_files, place_tree, read_regular
from evalkit.sandbox.daemon import docker_errors, effective_limits, look_at_image
from evalkit.sandbox.lifecycle import Spec, container, kill, remove, start
from evalkit.sandbox.stream import END, STDOUT, FrameStream

if TYPE_CHECKING:
    from docker import APIClient

SCRIPT = "/evalkit/job.sh"
COLLECT_LIMIT = 64 * 2**20
NO_SLOT = nullcontext()
_ATTACH = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
GRACE_S = 60
"""How long a job outlives its limit where evalkit died and nobody else stops it."""

# The watchdog is nobody's child but init's, so that the script finds none it did not start. Root's
# files come as $2 bytes of tar on stdin: an upload costs the daemon a process and 65 ms of CPU.
_MAIN = f"""\
( (sleep "$1"; kill -KILL -1) </dev/null >/dev/null 2>&1 & )
[ "$2" = 0 ] || head -c "$2" | tar -x -f - -C / || exit 125
exec /bin/sh {SCRIPT} </dev/null
"""


def run_job(
    client: "APIClient",
    job: Job,
    labels: Mapping[str, str],
    *,
    user: str = "",
    dispose: Callable[["APIClient", str], None] = remove,
    slot: AbstractContextManager[object] = NO_SLOT,
    then: Callable[[str, JobResult], None] = lambda _container, _result: None,
) -> JobResult:
    """Run a job and dispose of its container. `user` empty means the image's own.

    The container is made ready first, runs while `slot` is held, and is shown to `then` at its end.

    Raises ImageError where the image is missing, SandboxError where Docker fails.
    """
    image = look_at_image(client, job.image)
    if image is None:
        raise ImageError(f"image {job.image} is not on this machine", hint="pull or build it")
    files = {SCRIPT: job.script.encode(), **job.files}
    root = image.runs_as_root(user)
    stdin = pack(files) if root and not job.trees else b""
    lifetime = str(int(job.limits.seconds) + GRACE_S)
    spec = Spec(
        image=job.image,
        script=_MAIN,
        arguments=[lifetime, str(len(stdin))],
        workdir=job.workdir,
        labels={**labels, **job.labels},
        limits=effective_limits(client, job.limits),
        network=job.network,
        init=True,
        auto_remove=False,
        user=user,
        root=root,
        stdin=bool(stdin),
    )
    with container(client, spec, dispose) as container_id:
        if not stdin:
            place_files(client, container_id, files, folders=job.trees)
        for folder, tree in job.trees.items():
            place_tree(client, container_id, folder, tree)
        result = _watch(client, container_id, job, image.digest, stdin=stdin, slot=slot)
        then(container_id, result)
    return result


def _watch(
    client: "APIClient",
    container_id: str,
    job: Job,
    digest: str,
    *,
    stdin: bytes,
    slot: AbstractContextManager[object],
) -> JobResult:
    with docker_errors("cannot run a job"):
        attached = client.attach_socket(container_id, _ATTACH)
        with closing(FrameStream(attached)) as stream, slot:
            started = time.monotonic()
            start(client, container_id)
            with suppress(OSError):  # it ended before it read its files, and says how
                stream.send(stdin, time.monotonic() + job.limits.seconds)
            output = _Output(stream, job.output_mib * 2**20)
            # From here on: what a slow daemon took before is not the script's time.
            exit_code = _wait(client, container_id, time.monotonic() + job.limits.seconds)
            if exit_code is None:
                cut = kill(client, container_id)
                # One that a silent daemon tells of only now ended by itself, and long ago.
                code = client.wait(container_id)["StatusCode"]
                exit_code = None if cut else int(code)
            seconds = time.monotonic() - started
            output.join()
        state = client.inspect_container(container_id)["State"]
    if state["Status"] in {"removing", "dead"}:
        raise SandboxError("the container was removed from outside while its job ran")
    return JobResult(
        exit_code=exit_code,
        timed_out=exit_code is None,
        oom_killed=bool(state["OOMKilled"]),
        seconds=seconds,
        stdout=bytes(output.stdout),
        stderr=bytes(output.stderr),
        truncated=output.truncated,
        collected={
            path: read_regular(client, container_id, path, COLLECT_LIMIT) for path in job.collect
        },
        image_digest=digest,
    )


def _wait(client: "APIClient", container_id: str, deadline: float) -> int | None:
    """Return the exit code, None where the container still runs at the deadline."""
    from requests.exceptions import ConnectionError as Disconnected
    from requests.exceptions import Timeout

    try:
        left = max(deadline - time.monotonic(), 0.001)
        return int(client.wait(container_id, timeout=left)["StatusCode"])
    except (Timeout, Disconnected):
        if time.monotonic() < deadline:
            raise
        return None


class _Output:
    """Both streams of a container, read to their end on a thread; their beginnings stay."""

    def __init__(self, stream: FrameStream, limit: int) -> None:
        self._limit = limit
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.truncated = False
        self._stream = stream
        self._thread = threading.Thread(target=self._read, name="job output", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                kind, piece = self._stream.read(time.monotonic() + 3600.0)
            except TimeoutError:
                continue  # an hour of silence is no end
            if kind == END:
                return
            kept = self.stdout if kind == STDOUT else self.stderr
            room = self._limit - len(kept)
            kept += piece[:room]
            self.truncated |= len(piece) > room

    def join(self) -> None:
        """Wait for the end of both streams, which the container's end brings."""
        self._thread.join(timeout=30.0)
        if self._thread.is_alive():
            raise SandboxError("the daemon did not end a finished container's output")

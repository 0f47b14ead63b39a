"""Images: what is here, building more, and a Debian base with or without a registry."""

import io
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.errors import DiskFullError, ImageError
from evalkit.sandbox.archive import pack
from evalkit.sandbox.daemon import MAKE_ROOM, docker_errors, look_at_image, says_no_room
from evalkit.sandbox.debian import bootstrap
from evalkit.sandbox.pull import PAUSES, SILENCE_S, pull

if TYPE_CHECKING:
    from docker import APIClient

FAILED_STEP_LINES = 60


class Images:
    """Images of one daemon, for any number of threads. `say` takes one line of progress.

    `pauses` (seconds) lie between the tries of a pull, one of which ends after `silence_s`
    without a word from the daemon.
    """

    def __init__(
        self,
        client: "APIClient",
        *,
        pauses: Sequence[float] = PAUSES,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._client = client
        self._pauses = pauses
        self._silence_s = silence_s

    def digest(self, ref: str) -> str | None:
        """Return the image's repository digest, else its id; None where it is not here."""
        found = look_at_image(self._client, ref)
        return found.digest if found else None

    def pull(self, ref: str, say: Callable[[str], None]) -> None:
        """Pull `ref` for linux/amd64 unless it is here.

        Rate limits are waited out for about five minutes, other passing faults for half a minute.
        Raises DiskFullError without room, ImageError otherwise, with the daemon's words.
        """
        if self.digest(ref) is None:
            pull(self._client, ref, say, pauses=self._pauses, silence_s=self._silence_s)

    def remove(self, ref: str) -> None:
        """Remove the name `ref` and, where it was the last one, the image.

        No error where it is not here. One that a container was made from is left as it is: its
        user is another attempt or another program, and forcing would pull it from under them.
        """
        from docker.errors import APIError, ImageNotFound

        with docker_errors(f"cannot remove {ref}", ImageError):
            try:
                self._client.remove_image(ref)
            except ImageNotFound:
                return
            except APIError as error:
                if error.status_code != 409:
                    raise

    def build(
        self, tag: str, dockerfile: str, files: Mapping[str, bytes], say: Callable[[str], None]
    ) -> None:
        """Build `tag` from a Dockerfile and the files beside it.

        Raises DiskFullError without room, ImageError otherwise, with the failed step's output.
        """
        context = io.BytesIO(pack({"Dockerfile": dockerfile.encode(), **files}))
        with docker_errors(f"cannot build {tag}", ImageError):
            progress = self._client.build(
                fileobj=context, custom_context=True, tag=tag, rm=True, forcerm=True, decode=True
            )
            _follow(progress, f"cannot build {tag}", say)

    def ensure_base(
        self,
        *,
        ref: str,
        suite: str,
        packages: Sequence[str],
        tag: str,
        say: Callable[[str], None],
    ) -> None:
        """Make sure that `tag` is here: Debian with `packages`.

        From `ref` where that is here or can be pulled, else from Debian's archive (release
        `suite`) with debootstrap, which needs root. Raises ImageError where neither works.
        """
        if self.digest(tag) is not None:
            return
        refusal = self._refusal(ref, say)
        if refusal:
            say(f"{refusal}; making {tag} from Debian's archive")
            bootstrap(self._client, tag, packages, suite, say)
        else:
            self.build(tag, _with_packages(ref, packages), {}, say)

    def _refusal(self, ref: str, say: Callable[[str], None]) -> str:
        """Pull `ref` where it is not here; return why it could not be had, empty where it was.

        Tried once, for there is another way; for the daemon's own platform, for it is our base.
        """
        try:
            if self.digest(ref) is None:
                pull(self._client, ref, say, platform="", pauses=())
        except ImageError as error:
            return error.message
        return ""


def _with_packages(ref: str, packages: Sequence[str]) -> str:
    return (
        f"FROM {ref}\n"
        "RUN apt-get update"
        f" && apt-get install --yes --no-install-recommends {' '.join(packages)}"
        " && rm -rf /var/lib/apt/lists/*\n"
    )


def _follow(progress: Iterable[Mapping[str, Any]], doing: str, say: Callable[[str], None]) -> None:
    """Read the daemon's progress to its end; ImageError where it reports a failure."""
    step: deque[str] = deque(maxlen=FAILED_STEP_LINES)
    for entry in progress:
        line = str(entry.get("stream", "")).rstrip("\n")
        if line.startswith("Step "):
            step.clear()
            say(line)
        if line:
            step.append(line)
        if "error" in entry:
            reason = f"{doing}: {entry['error']}"
            if says_no_room(reason):
                raise DiskFullError(reason, hint=MAKE_ROOM)
            raise ImageError("\n".join([reason, *step]))

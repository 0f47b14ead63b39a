"""Images: what is here, building more, and a Debian base with or without a registry."""

import io
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.errors import ImageError, SandboxError
from evalkit.sandbox.archive import pack
from evalkit.sandbox.daemon import docker_errors, image_digest
from evalkit.sandbox.debian import bootstrap

if TYPE_CHECKING:
    from docker import APIClient

FAILED_STEP_LINES = 60


class Images:
    """Images of one daemon. `say` arguments take one line of progress."""

    def __init__(self, client: "APIClient") -> None:
        self._client = client

    def digest(self, ref: str) -> str | None:
        """Return the image's repository digest, else its id; None where it is not here."""
        return image_digest(self._client, ref)

    def build(
        self, tag: str, dockerfile: str, files: Mapping[str, bytes], say: Callable[[str], None]
    ) -> None:
        """Build `tag` from a Dockerfile and the files beside it.

        Raises ImageError with the failed step's output.
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
        refusal = self._pull(ref, say)
        if refusal:
            say(f"{refusal}; making {tag} from Debian's archive")
            bootstrap(self._client, tag, packages, suite, say)
        else:
            self.build(tag, _with_packages(ref, packages), {}, say)

    def _pull(self, ref: str, say: Callable[[str], None]) -> str:
        """Pull `ref` where it is not here; return why it could not be had, empty where it was."""
        if self.digest(ref) is not None:
            return ""
        say(f"pulling {ref}")
        try:
            with docker_errors(f"cannot pull {ref}"):
                progress = self._client.pull(ref, stream=True, decode=True)
                _follow(progress, f"cannot pull {ref}", lambda _: None)
        except SandboxError as error:
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
            raise ImageError("\n".join([f"{doing}: {entry['error']}", *step]))

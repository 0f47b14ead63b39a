"""The Docker daemon: reaching it, what it can give, and its errors in our words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import DiskFullError, ImageError, SandboxError
from evalkit.types import Limits

if TYPE_CHECKING:
    from docker import APIClient

REQUEST_TIMEOUT_S = 120
PING_S = 10.0
CONNECTIONS = 256
"""Kept open for reuse; every rollout and every job holds two or three at a time."""

MAKE_ROOM = (
    "docker system df shows what takes the room;"
    " --set images.keep=false removes each image once its task is done"
)
# At the end: what comes before it may be names that somebody chose.
_NO_ROOM = re.compile(r"(no space left on device|disk quota exceeded)(: unknown)?$", re.IGNORECASE)

START_DOCKER = "on Debian or Ubuntu run ./setup.sh as root; elsewhere start Docker, then try again"


def connect() -> "APIClient":
    """Connect to the daemon that DOCKER_HOST names, else the local one.

    Raises SandboxError where none answers.
    """
    from docker import APIClient
    from docker.errors import DockerException
    from docker.utils import kwargs_from_env

    try:
        return APIClient(
            version="auto",
            timeout=REQUEST_TIMEOUT_S,
            max_pool_size=CONNECTIONS,
            **kwargs_from_env(),
        )
    except DockerException as error:
        raise SandboxError(f"no Docker daemon answers: {error}", hint=START_DOCKER) from error


def why_away(client: "APIClient") -> str | None:
    """Say why the daemon does not answer; None where it does."""
    try:
        with docker_errors("the Docker daemon does not answer"):
            answer = client.get(f"{client.base_url}/_ping", timeout=PING_S)
            check_answer(answer)
    except SandboxError as error:
        return error.message
    return None


def data_folder(client: "APIClient") -> Path | None:
    """Return where the daemon keeps images and containers; None where that is another machine."""
    with docker_errors("cannot ask the Docker daemon for its folder"):
        folder = Path(client.info()["DockerRootDir"])
    return folder if folder.is_dir() else None


@contextmanager
def docker_errors(doing: str, raises: type[SandboxError] = SandboxError) -> Iterator[None]:
    """Turn what the SDK raises into SandboxError; `doing` says what was being tried.

    `raises` is for what the daemon answers: that it does not says nothing of what was asked for.
    DiskFullError where it answers that it has no room.
    """
    from docker.errors import APIError, DockerException, ImageNotFound
    from requests import RequestException

    try:
        yield
    except ImageNotFound as error:
        hint = "pull or build it first"
        raise ImageError(f"{doing}: {_reason(error)}", hint=hint) from error
    except DockerException as error:
        reason = _reason(error)
        if isinstance(error, APIError) and says_no_room(reason):
            raise DiskFullError(f"{doing}: {reason}", hint=MAKE_ROOM) from error
        raise raises(f"{doing}: {reason}") from error
    except RequestException as error:
        raise SandboxError(f"{doing}: {_reason(error)}") from error


def says_no_room(words: str) -> bool:
    """Whether the daemon's words are those of a full disk."""
    return _NO_ROOM.search(words) is not None


def check_answer(answer: Any) -> None:
    """Raise the SDK's error, which has the daemon's words, for an answer that is a refusal."""
    from docker.errors import create_api_error_from_http_exception
    from requests import HTTPError

    try:
        answer.raise_for_status()
    except HTTPError as error:
        create_api_error_from_http_exception(error)


def _reason(error: Exception) -> str:
    """Return the daemon's own words, or those of the system at the bottom of the SDK's error."""
    words = getattr(error, "explanation", None)
    while not words and error.args and isinstance(error.args[-1], Exception):
        error = error.args[-1]
    if isinstance(error, OSError) and error.strerror:
        words = error.strerror
    return str(words or error).strip()


def effective_limits(client: "APIClient", wanted: Limits) -> Limits:
    """Return `wanted`, or what the host has where that is less: Docker refuses 4 CPUs on 2."""
    cpus, memory_mib = _host(client)
    return wanted.model_copy(
        update={
            "cpus": min(wanted.cpus, cpus),
            "memory_mib": min(wanted.memory_mib, memory_mib),
        }
    )


@cache
def _host(client: "APIClient") -> tuple[float, int]:
    """Return the host's CPUs and MiB, asked once: the daemon starts two programs to answer."""
    with docker_errors("cannot ask the Docker daemon what the host has"):
        host = client.info()
    return float(host["NCPU"]), host["MemTotal"] // 2**20


@dataclass(frozen=True)
class ImageFacts:
    """What is asked of an image on this machine."""

    digest: str
    """Its repository digest, its id where it has none."""
    user: str
    """Empty means root."""

    def runs_as_root(self, user: str = "") -> bool:
        """Whether `user`, where it is empty the image's own, is root."""
        return (user or self.user) in {"", "0", "root"}


def look_at_image(client: "APIClient", image: str) -> ImageFacts | None:
    """Look at an image; None where it is not on this machine."""
    from docker.errors import ImageNotFound

    with docker_errors(f"cannot look at image {image}"):
        try:
            found = client.inspect_image(image)
        except ImageNotFound:
            return None
    digest = (found.get("RepoDigests") or [found["Id"]])[0]
    return ImageFacts(digest, str(found["Config"].get("User") or ""))

"""Pulling one image: which failures pass, how long to wait for them, and what to tell meanwhile."""

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit.errors import DiskFullError, ImageError, NetworkError, SandboxError
from evalkit.sandbox.daemon import MAKE_ROOM, REQUEST_TIMEOUT_S, check_answer, docker_errors

if TYPE_CHECKING:
    from docker import APIClient

PLATFORM = "linux/amd64"
PAUSES = (2.0, 4.0, 8.0, 16.0, 30.0, 60.0, 60.0, 120.0)
"""Seconds between tries, before jitter: five minutes in all."""
SHORT = 4
"""Of PAUSES, those spent on what is not a rate limit: the daemon has tried layers six times itself."""
SILENCE_S = 600.0
"""Without a word from the daemon for so long, a try has stalled. A layer that waits for one of the
daemon's few download slots is silent too, so this is long."""
SAY_EVERY_S = 10.0
WORDS = 500
"""Characters kept of the daemon's message: it can quote a whole error page of a registry."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A kind of failure, known by the daemon's words: it gives every registry's answer as a 500."""

    words: str
    hint: str
    pauses: int = 0
    """How many of the pauses are worth spending on it."""
    error: type[SandboxError] = ImageError


TROUBLES = (
    Trouble(
        words="no space left on device|disk quota exceeded",
        hint=MAKE_ROOM,
        error=DiskFullError,
    ),
    Trouble(
        words="toomanyrequests|too many requests|HTTP 429|pull rate limit|rate limit exceeded",
        hint="docker login: an account may pull more than an address, or try again later",
        error=NetworkError,
        pauses=len(PAUSES),
    ),
    Trouble(
        words="denied|unauthorized|authorization failed|authentication required|forbidden"
        "|no basic auth credentials|HTTP 40[13]",
        hint="docker login, where the image is private; else look at its name",
    ),
    Trouble(
        words="not found|(manifest|name|blob) unknown|unknown blob|no matching manifest"
        "|not match the (specified|requested) platform|invalid reference",
        hint=f"the registry has no such image for {PLATFORM}: look at name and tag",
    ),
    Trouble(
        words="no such host|connection refused|network is unreachable|no route to host",
        hint="the Docker daemon cannot reach the registry: look at its network and its proxy",
        error=NetworkError,
    ),
    Trouble(
        words=r"HTTP (status: )?5\d\d|5\d\d (Internal|Bad|Service|Gateway)|connection reset|broken pipe|\bEOF\b|timeout"
        "|timed out|deadline exceeded|verification failed|server misbehaving"
        "|temporary failure|temporarily unavailable",
        hint="the registry or the way to it fails: try again later",
        error=NetworkError,
        pauses=SHORT,
    ),
)
"""The first that matches counts."""
UNKNOWN = Trouble(words="", hint="")


def trouble(words: str) -> Trouble:
    """Sort a failed pull by the daemon's words; what is not known is not tried again."""
    return next((kind for kind in TROUBLES if re.search(kind.words, words, re.IGNORECASE)), UNKNOWN)


def pull(
    client: "APIClient",
    ref: str,
    say: Callable[[str], None],
    *,
    platform: str = PLATFORM,
    pauses: Sequence[float] = PAUSES,
    silence_s: float = SILENCE_S,
) -> None:
    """Pull `ref`, trying again after each of `pauses` where the failure is one that passes.

    An empty `platform` is the daemon's own. Raises DiskFullError without room, ImageError
    otherwise, both with the daemon's words.
    """
    progress = Progress(ref, say)
    say(f"pulling {ref}")
    for tried, pause in enumerate([*pauses, 0.0]):
        words = _try(client, ref, platform, silence_s, progress)
        if not words:
            break
        kind = trouble(words)
        if tried >= min(kind.pauses, len(pauses)):
            after = f" after {tried + 1} tries" if tried else ""
            raise kind.error(f"cannot pull {ref}{after}: {words}", hint=kind.hint)
        wait = pause * random.uniform(0.5, 1.5)  # noqa: S311 - so that threads do not meet again
        say(f"{ref}: {words}; next try in {wait:.1f} s")
        time.sleep(wait)
    progress.end(_size(client, ref, platform))


def _try(
    client: "APIClient", ref: str, platform: str, silence_s: float, progress: "Progress"
) -> str:
    """Pull once; return the words of the failure, empty where there was none."""
    doing = f"cannot pull {ref}"
    try:
        with docker_errors(doing, ImageError):
            for entry in _entries(client, ref, platform, silence_s):
                if "error" in entry:
                    return _short(str(entry["error"]))
                progress.take(entry)
    except SandboxError as error:
        if "Read timed out" in error.message:
            return f"timed out: neither registry nor daemon said a word for {silence_s:.0f} s"
        return _short(error.message.removeprefix(f"{doing}: "))
    return ""


def _short(words: str) -> str:
    return " ".join(words.split())[:WORDS] or "the daemon gave no reason"


def _entries(
    client: "APIClient", ref: str, platform: str, silence_s: float
) -> Iterator[Mapping[str, Any]]:
    """Yield the daemon's progress. Not APIClient.pull: that waits forever for a stalled registry.

    Credentials are the user's own, from Docker's configuration or its credential helpers.
    """
    from docker.auth import get_config_header, resolve_repository_name
    from docker.utils import parse_repository_tag

    name, tag = parse_repository_tag(ref)
    credentials = get_config_header(client, resolve_repository_name(name)[0])
    with client.post(
        f"{client.base_url}/v{client.api_version}/images/create",
        params={"fromImage": name, "tag": tag or "latest", "platform": platform},
        headers={"X-Registry-Auth": credentials} if credentials else {},
        stream=True,
        timeout=(REQUEST_TIMEOUT_S, silence_s),
    ) as response:
        check_answer(response)
        for line in response.iter_lines(chunk_size=None):
            if line:
                yield json.loads(line)


def _size(client: "APIClient", ref: str, platform: str) -> int:
    """Return the image's bytes on disk; one for another platform is removed again."""
    with docker_errors(f"cannot look at image {ref}", ImageError):
        image = client.inspect_image(ref)
        found = f"{image['Os']}/{image['Architecture']}"
        if platform not in {"", found}:
            client.remove_image(ref)
            raise ImageError(
                f"cannot pull {ref}: it is an image for {found}, not {platform}",
                hint=f"name an image that was built for {platform}",
            )
    return int(image["Size"])


class Progress:
    """What a user hears of one pull: bytes now and then, size and seconds at the end."""

    def __init__(self, ref: str, say: Callable[[str], None]) -> None:
        self._ref = ref
        self._say = say
        self._begun = self._said = time.monotonic()
        self._layers: dict[str, tuple[int, int]] = {}
        """Layer to bytes downloaded and bytes in all, 0 where the daemon has not said yet."""

    def take(self, entry: Mapping[str, Any]) -> None:
        """Note one line of the daemon's."""
        layer, status = str(entry.get("id", "")), entry.get("status")
        detail = entry.get("progressDetail") or {}
        if status == "Pulling fs layer":
            self._layers[layer] = (0, 0)
        elif status == "Downloading":
            self._layers[layer] = (detail.get("current", 0), detail.get("total", 0))
        elif status == "Download complete" and layer in self._layers:
            whole = max(self._layers[layer])
            self._layers[layer] = (whole, whole)
        if time.monotonic() - self._said >= SAY_EVERY_S:
            self._said = time.monotonic()
            self._say(f"pulling {self._ref}: {self}")

    def __str__(self) -> str:
        done = sum(current for current, _ in self._layers.values())
        known = [total for _, total in self._layers.values() if total > 0]
        layers = f"{len(known)} of {len(self._layers)} layers"
        return f"{_mb(done)} of {_mb(sum(known))} in {layers}"

    def end(self, size: int) -> None:
        """Tell the size on disk, in bytes, and the time it took, pauses included."""
        seconds = time.monotonic() - self._begun
        self._say(f"pulled {self._ref}: {_mb(size)} on disk, {seconds:.1f} s")


def _mb(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"

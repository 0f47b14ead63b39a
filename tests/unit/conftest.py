"""The fence round unit tests: no network but loopback, no Docker."""

import ipaddress
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("unit", deadline=None)  # a deadline would test the machine's load
settings.load_profile("unit")

_LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname"}
_CALLS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_raised: set[str] = set()
"""Holds a word while the fence stands. An audit hook cannot be taken away again."""


class FenceError(BaseException):
    """A unit test reached for Docker or the network; no `except Exception` hides it."""


@pytest.fixture(autouse=True)
def fence() -> Iterator[None]:
    _raised.add("fence")
    yield
    _raised.clear()


def _guard(event: str, args: tuple[Any, ...]) -> None:
    if not _raised or event not in _LOOKUPS | _CALLS:
        return
    target = args[0] if event in _LOOKUPS else args[1]
    host = target[0] if isinstance(target, tuple) else target
    if not _allowed(host, unix=event in _CALLS and not isinstance(target, tuple)):
        raise FenceError(f"unit tests do not reach {host!r}")


def _allowed(host: str | bytes | None, *, unix: bool) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name is None or unix:
        return not (name or "").endswith("docker.sock")
    if name in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


sys.addaudithook(_guard)

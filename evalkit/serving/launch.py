"""A server to start."""

from collections.abc import Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A server to start: its command line, its whole environment and its address."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    port: int
    model: str
    niceness: int = 0
    after: tuple[str, ...] = ()
    """A command that removes what outlives the server's processes, such as a container."""

    @property
    def url(self) -> str:
        """Its base URL, with the /v1."""
        return f"http://{HOST}:{self.port}/v1"

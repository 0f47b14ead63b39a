"""A sandbox in a temporary folder: real files and a real bash, no container. For unit tests."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evalkit.types import CommandResult


@dataclass
class LocalSandbox:
    """Runs each command in `root`; the patch is whatever the file PATCH there holds."""

    root: Path

    def run(self, command: str, *, timeout_s: float) -> CommandResult:
        if "\0" in command:
            raise ValueError("a command cannot hold a NUL character")
        done = subprocess.run(
            # mini-swe-agent has bash read this file; here it is that of the machine.
            ["bash", "-c", command.replace("/root/.bashrc", "/dev/null")],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
        return CommandResult(output=done.stdout.decode(), exit_code=done.returncode)

    def read_file(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def write_file(self, path: str, content: bytes) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)

    def patch(self) -> str:
        file = self.root / "PATCH"
        return file.read_text() if file.exists() else ""


@contextmanager
def local_sandbox(root: Path) -> Iterator[LocalSandbox]:
    yield LocalSandbox(root)

"""The sandbox an agent works in."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from evalkit.sandbox.capture import capture_patch
from evalkit.sandbox.control import Control
from evalkit.sandbox.lifecycle import is_running
from evalkit.sandbox.shell import BASH_OR_SH, Shell
from evalkit.sandbox.stream import Exec
from evalkit.types import CommandResult, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from docker import APIClient


class DockerSandbox:
    """A running container with an agent shell and a control shell. For one thread."""

    def __init__(
        self,
        client: "APIClient",
        container_id: str,
        task: Task,
        labels: "Mapping[str, str]",
        captures: AbstractContextManager[object],
    ) -> None:
        """Work in a container that runs; its patch is taken while `captures` is held."""
        self._client, self._container, self._task = client, container_id, task
        self._labels, self._captures = labels, captures
        self._control = Control(self._exec, workdir=task.workdir, alive=self._alive)
        self._shell = Shell(
            lambda: self._exec(BASH_OR_SH),
            cwd=task.workdir,
            kill=self._control.kill_tree,
            alive=self._alive,
            connected=self._control.connected,
        )

    def run(self, command: str, *, timeout_s: float) -> CommandResult:
        """Run a command in the persistent shell.

        At the timeout the shell ends with the command: what followed in the line must not run late.
        Raises ValueError for a NUL in the command, SandboxError where the container is gone.
        """
        return self._shell.run(command, timeout_s=timeout_s)

    def read_file(self, path: str) -> bytes:
        """Read a regular file of at most 10 MiB; a relative path counts from the workdir.

        Raises FileNotFoundError, IsADirectoryError, OSError.
        """
        return self._control.read_file(path)

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file, making its parent folders. Raises IsADirectoryError, OSError."""
        self._control.write_file(path, content)

    def patch(self) -> str:
        """Return the difference between the given tree and the tree as it is now, as UTF-8 text.

        Raises SandboxError where Docker fails or the image has no git.
        """
        with self._captures, self._control.stillness():
            return capture_patch(self._client, self._container, self._task, self._labels)

    def close(self) -> None:
        """Drop both shells' connections; the container ends with its `with` block."""
        self._shell.close()
        self._control.close()

    def _exec(self, argv: list[str]) -> Exec:
        return Exec(self._client, self._container, argv)

    def _alive(self) -> bool:
        return is_running(self._client, self._container)

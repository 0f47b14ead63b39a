"""`evalkit` in a process of its own, to be watched, disturbed and killed while it writes a run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from evalkit.cli.wiring import environment
from evalkit.sandbox.owner import OWNER, TASK

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")


class LiveRun:
    """A process and the run folder it writes."""

    def __init__(
        self, command: Sequence[str], folder: Path, extra: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        earlier = len(list(folder.parent.glob(f"{folder.name}.said*")))
        self._said = folder.with_name(f"{folder.name}.said{earlier}")
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                command,
                stdout=said,
                stderr=said,
                env={**environment(), **(extra or {})},
            )

    @property
    def said(self) -> str:
        """What it wrote to stdout and stderr."""
        return self._said.read_text()

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for something that the process brings about."""
        deadline = time.monotonic() + 90
        while not condition():
            assert time.monotonic() < deadline, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def end(self, seconds: float = 120) -> int:
        """Wait for its end; return its exit code."""
        return self.process.wait(seconds)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Return the whole lines of a file of the folder; none where it is not there yet."""
        path = self.folder / name
        *whole, _ = path.read_bytes().split(b"\n") if path.exists() else [b""]
        return [json.loads(line) for line in whole]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.lines("events.jsonl") if event["kind"] == kind]

    def results(self) -> list[dict[str, Any]]:
        return self.lines("results.jsonl")

    def trajectory(self, task: str, attempt: str = "1") -> list[dict[str, Any]]:
        return self.lines(f"tasks/{task}/{attempt}/trajectory.jsonl")

    def kinds(self, task: str, attempt: str = "1") -> list[str]:
        return [line["kind"] for line in self.trajectory(task, attempt)]

    def containers(self, client: "APIClient", task: str = "") -> list[str]:
        """Return the ids of the containers that the process owns, of one task or of all."""
        found = client.containers(all=True, filters={"label": [OWNER]})
        labels = {str(entry["Id"]): entry["Labels"] for entry in found}
        return sorted(
            container_id
            for container_id, own in labels.items()
            if f"/{self.process.pid}/" in own[OWNER] and own[TASK].startswith(task)
        )

    def until_it_runs(self, client: "APIClient", task: str, program: str) -> str:
        """Wait until a program runs in a container of a task; return the container's id."""
        found: list[str] = []

        def look() -> list[str]:
            found[:] = [
                container_id
                for container_id in self.containers(client, task)
                if program in _programs(client, container_id)
            ]
            return found

        self.until(look)
        return found[0]


def _programs(client: "APIClient", container_id: str) -> list[str]:
    """Return the command lines of a container's processes; none of one that does not run."""
    from docker.errors import APIError

    try:
        return [process[-1] for process in client.top(container_id)["Processes"] or ()]
    except APIError:
        return []


def side_by_side(do: Callable[[str], T], cases: Iterable[str]) -> dict[str, T]:
    """Do the same to runs of their own at once: what they do most is wait."""
    names = list(cases)
    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(do, names), strict=True))


@contextmanager
def live_run(
    folder: Path, *arguments: str, extra: Mapping[str, str] | None = None
) -> Iterator[LiveRun]:
    """Run `evalkit run ARGUMENTS -o FOLDER`, killed at the block's end where it still runs."""
    command = [sys.executable, "-m", "evalkit", "run", *arguments, "-o", str(folder)]
    run = LiveRun(command, folder, extra)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()

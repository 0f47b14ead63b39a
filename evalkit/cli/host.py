"""What a run rests on: Docker, and room on two disks."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Protocol

from evalkit.campaign.boundaries import Check
from evalkit.cli.settled import Run
from evalkit.cli.wiring import docker, say
from evalkit.errors import SandboxError, StoreError
from evalkit.protocols import Containers
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.daemon import data_folder, why_away
from evalkit.sandbox.reap import reap
from evalkit.store import RunFolder
from evalkit.types import Limits

Checks = Mapping[str, Check]
"""By the word that a pause is told by."""
_AGAIN_S = 1.0
_TELL_EVERY_S = 60.0


class HostContainers(Containers, Protocol):
    """Containers of one run on one host."""

    def effective(self, wanted: Limits) -> Limits:
        """Return the limits that containers really get: `wanted`, or what the host has."""
        ...

    def digest(self, image: str) -> str | None:
        """Return the digest of an image on this machine; None where it is not here."""
        ...

    def cut_short(self) -> None:
        """End tests that run now, as if they had passed their limit."""
        ...


@dataclass(frozen=True, kw_only=True)
class Host:
    """Where a run's containers live, and what of the host is watched."""

    containers: Callable[[Run, RunFolder], AbstractContextManager[HostContainers]]
    checks: Callable[[Run], Checks]


class AwaitRoom:
    """Waits for room on the disk of the run folder, for as long as the run is not being stopped."""

    def __init__(self, stopping: Event) -> None:
        self._stopping = stopping
        self._told = float("-inf")

    def __call__(self, error: StoreError) -> bool:
        """Wait a moment; say whether to try again. Tells once a minute, of whichever file it is."""
        if time.monotonic() > self._told + _TELL_EVERY_S:
            self._told = time.monotonic()
            say(f"{error.message}: waiting for room; nothing is lost meanwhile")
        return not self._stopping.wait(_AGAIN_S)


def low_disk(path: Path, least_mib: int) -> str | None:
    """Say that a disk has less room than it should; None where it has enough."""
    try:
        free = shutil.disk_usage(path).free // 2**20
    except OSError as error:
        return f"{path}: {error.strerror}"
    return f"{free} MiB are free at {path}, less than {least_mib}" if free < least_mib else None


@contextmanager
def _containers(run: Run, folder: RunFolder) -> Iterator[DockerContainers]:
    reap(docker(), say)
    containers = DockerContainers(
        docker(),
        run_id=run.id,
        heavy=run.runner.concurrency.gradings,
        history=run.runner.sandbox.history,
    )
    end = containers.close
    try:
        yield containers
    except BaseException as error:
        if not isinstance(error, Exception):  # a second signal: at once
            end = containers.abandon
        raise
    finally:
        try:
            end()
        except SandboxError as error:  # it costs room on the disk, and no result
            folder.event("container_kept", why=error.message)
            say(f"{error.message}; `evalkit clean` tries again")


def _checks(run: Run) -> Checks:
    least = run.runner.concurrency.free_disk_mib
    client = docker()
    checks: dict[str, Check] = {
        "docker": lambda: why_away(client),
        "disk": lambda: low_disk(run.folder, least),
    }
    images = data_folder(client)
    if images is not None:
        checks["docker's disk"] = lambda: low_disk(images, least)
    return checks


DOCKER = Host(containers=_containers, checks=_checks)

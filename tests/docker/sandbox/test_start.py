"""Starting sandboxes, and taking their patches, on a daemon that is slow."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier, Event, Lock

import pytest
from docker import APIClient

from evalkit.errors import SandboxError
from evalkit.sandbox.containers import STARTS, DockerContainers
from evalkit.types import Task
from tests.doubles.daemon import ANSWER, Meets, daemon_that


def is_start(request: str) -> bool:
    return request.startswith("POST ") and "/start " in request and "/containers/" in request


def is_upload(request: str) -> bool:
    """Of the tree a patch is made from; what else a container is given it reads itself."""
    return request.startswith("PUT ") and "/archive?" in request


@contextmanager
def containers_on(meets: Meets, folder: Path, start_s: float = 60.0) -> Iterator[DockerContainers]:
    with (
        daemon_that(meets, folder) as host,
        closing(APIClient(base_url=host, version="auto", max_pool_size=64)) as client,
        closing(DockerContainers(client, run_id="test-start", start_s=start_s)) as containers,
    ):
        yield containers


class Busy:
    """Holds every request of a kind until as many are under way as may be, and counts them."""

    def __init__(self, kind: Callable[[str], bool]) -> None:
        self._kind = kind
        self._lock, self._now, self.most = Lock(), 0, 0
        self._full = Event()

    def __call__(self, request: str) -> bytes | None:
        if self._kind(request):
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            if self.most >= STARTS:
                self._full.set()
            self._full.wait(60)
            time.sleep(0.5)  # for one more to come
            with self._lock:
                self._now -= 1
        return None


def test_a_start_that_takes_too_long_is_a_sandbox_error(repository: Task, tmp_path: Path) -> None:
    over = Event()

    def hangs(request: str) -> bytes | None:
        if is_start(request):
            over.wait(30)
        return None

    with (
        containers_on(hangs, tmp_path, start_s=0.5) as containers,
        pytest.raises(SandboxError, match=r"cannot start.*timed out"),
        containers.rollout(repository, 1),
    ):
        pass
    over.set()


def test_so_many_sandboxes_are_started_side_by_side(repository: Task, tmp_path: Path) -> None:
    busy = Busy(is_start)
    with containers_on(busy, tmp_path) as containers:

        def opened(number: int) -> None:
            with containers.rollout(repository, number):
                pass

        with ThreadPoolExecutor(2 * STARTS) as pool:
            list(pool.map(opened, range(2 * STARTS)))
    assert busy.most == STARTS


def test_so_many_patches_are_taken_side_by_side(repository: Task, tmp_path: Path) -> None:
    busy, all_open = Busy(is_upload), Barrier(2 * STARTS)
    with containers_on(busy, tmp_path) as containers:

        def captured(number: int) -> None:
            with containers.rollout(repository, number) as sandbox:
                all_open.wait(60)
                sandbox.patch()

        with ThreadPoolExecutor(2 * STARTS) as pool:
            list(pool.map(captured, range(2 * STARTS)))
    assert busy.most == STARTS


def test_a_refused_start_says_what_the_daemon_said(repository: Task, tmp_path: Path) -> None:
    with (
        containers_on(lambda request: ANSWER if is_start(request) else None, tmp_path) as refused,
        pytest.raises(SandboxError, match=r"cannot start.*device or resource busy"),
        refused.rollout(repository, 1),
    ):
        pass

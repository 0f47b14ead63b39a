"""Containers go when their work is done: at once, beside other work, or when the daemon is back."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from evalkit.errors import SandboxError
from evalkit.sandbox.lifecycle import list_containers, remove

if TYPE_CHECKING:
    from docker import APIClient

Dispose = Callable[["APIClient", str], None]
_HURRY_S = 10.0


class Removals:
    """Removes the containers that carry all `labels`, of one run. For any number of threads.

    A removal that fails costs nobody a result: it is tried again after the next that succeeds,
    and at the end.
    """

    def __init__(self, client: "APIClient", labels: Sequence[str]) -> None:
        self._client, self._labels = client, labels
        self._thread = ThreadPoolExecutor(1, "removal")
        self._pending: defaultdict[str, list[Future[None]]] = defaultdict(list)
        """By the image of a task."""
        self._left: dict[str, str] = {}
        """Containers that could not be removed, with their task's image."""

    def now(self, image: str) -> Dispose:
        """Return what removes a container of a task's image."""
        return lambda _client, container_id: self._remove(container_id, image)

    def beside(self, image: str) -> Dispose:
        """Return what has it removed while the caller goes on."""
        pending = self._pending[image]

        def dispose(_client: "APIClient", container_id: str) -> None:
            pending.append(self._thread.submit(self._remove, container_id, image))

        return dispose

    def settle(self, image: str) -> None:
        """Wait until a task's containers are gone. Raises SandboxError where one stays."""
        for removal in tuple(self._pending[image]):
            removal.result()
        for container_id, of in tuple(self._left.items()):
            if of == image:
                remove(self._client, container_id)
                self._left.pop(container_id, None)

    def hurry(self) -> None:
        """Remove every container of the run, in use or not, and wait long for no answer.

        Raises SandboxError where Docker fails.
        """
        self._client.timeout = _HURRY_S
        self._thread.shutdown(wait=False, cancel_futures=True)
        for pause in (0.3, 0.3, 0.0):  # for those that were being made just then
            self._sweep()
            time.sleep(pause)

    def close(self) -> None:
        """Wait until every container of the run is gone, also one whose making was not answered.

        Raises SandboxError where one stays.
        """
        self._thread.shutdown()
        self._sweep()

    def _remove(self, container_id: str, image: str) -> None:
        try:
            remove(self._client, container_id)
        except SandboxError:
            self._left[container_id] = image
            return
        with suppress(KeyError):  # none is left
            self._remove(*self._left.popitem())

    def _sweep(self) -> None:
        failed: SandboxError | None = None
        for container_id in list_containers(self._client, self._labels):
            try:
                remove(self._client, container_id)
            except SandboxError as error:
                failed = error
        if failed is not None:
            raise failed

"""What rollouts run on: a task's image without what its repository became later.

A layer over the image, made once for a task, proved, and shared by its attempts. Grading never
sees it: there the solution's commit is needed.
"""

import hashlib
import shlex
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from evalkit.errors import ImageError, SandboxError
from evalkit.protocols import Job, JobResult
from evalkit.sandbox.daemon import docker_errors
from evalkit.sandbox.jobs import run_job
from evalkit.sandbox.owner import OWNER, Owner
from evalkit.types import History, Limits, Task

if TYPE_CHECKING:
    from docker import APIClient

REPOSITORY = "evalkit/rollout"
PARENT = "evalkit.parent"
"""Label of a layer: the id of the image below it."""
LIMITS = Limits(cpus=2, memory_mib=4096, pids=512, seconds=900)

_MAKE, _PROVE = "history.sh", "history_proof.sh"


class Layers:
    """The layers of one daemon, for any number of threads. `labels` mark the containers used."""

    def __init__(self, client: "APIClient", labels: Mapping[str, str], history: History) -> None:
        self._client = client
        self._labels = labels
        self._history = history
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def ensure(self, task: Task) -> str:
        """Return the id of the proved layer over the task's image, made where there is none.

        Raises ImageError where the image is missing, SandboxError where the later history cannot
        be taken away or something of it could still be read.
        """
        parent = _image_id(self._client, task.image)
        if parent is None:
            raise ImageError(f"image {task.image} is not on this machine", hint="pull or build it")
        tag = self._tag(task, parent)
        with self._locks[tag]:
            return _image_id(self._client, tag, parent) or self._make(task, tag, parent)

    def _tag(self, task: Task, parent: str) -> str:
        """Name a layer after all that decides what is in it."""
        recipe = (_script(_MAKE), _script(_PROVE))
        parts = (parent, task.workdir, task.base_commit, self._history, *recipe)
        return f"{REPOSITORY}:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"

    def _make(self, task: Task, tag: str, parent: str) -> str:
        """Make a layer. It gets its name, by which it is found again, only once it is proved."""
        layer = ""

        def keep(container_id: str, result: JobResult) -> None:
            nonlocal layer
            _check(result, f"cannot take the later history out of {task.image}")
            # Root made it; who works on it is whom the image names.
            user = self._client.inspect_image(parent)["Config"].get("User") or "0"
            changes = [f"LABEL {PARENT}={parent}", f"USER {user}"]
            layer = str(self._client.commit(container_id, changes=changes)["Id"])

        def proved(_container: str, result: JobResult) -> None:
            _check(result, f"the later history of {task.image} can still be read")

        with docker_errors(f"cannot make a layer over {task.image}", ImageError):
            self._run(task, parent, self._settings(task) + _script(_MAKE), keep)
            try:
                self._run(task, layer, _script(_PROVE), proved)
                self._client.tag(layer, *tag.split(":"))
            except BaseException:
                self._client.remove_image(layer)
                raise
        return layer

    def _settings(self, task: Task) -> str:
        return f"BASE={shlex.quote(task.base_commit)}\nMODE={self._history}\n"

    def _run(
        self, task: Task, image: str, script: str, then: Callable[[str, JobResult], None]
    ) -> None:
        job = Job(image=image, script=script, workdir=task.workdir, limits=LIMITS)
        run_job(self._client, job, self._labels, user="0", then=then)


def drop_layers(client: "APIClient", image: str) -> None:
    """Remove the layers over an image, which cannot go before them."""
    parent = _image_id(client, image)
    for layer in _layers(client):
        if layer["Labels"][PARENT] == parent:
            _remove(client, layer)


def reap_layers(client: "APIClient") -> list[str]:
    """Remove the layers whose makers are provably dead and that nobody uses; return their names."""
    here = Owner.here()
    orphans = [
        layer
        for layer in _layers(client)
        if (owner := Owner.parse(layer["Labels"].get(OWNER, ""))) and owner.is_dead(here)
    ]
    return [layer["Id"] for layer in orphans if _remove(client, layer)]


def _layers(client: "APIClient") -> list[Any]:
    with docker_errors("cannot list the layers of rollouts", ImageError):
        return list(client.images(filters={"label": PARENT}))


def _remove(client: "APIClient", layer: Any) -> bool:
    """Remove a layer; False where a container of it is there."""
    from docker.errors import APIError, ImageNotFound

    with docker_errors(f"cannot remove layer {layer['Id']}", ImageError):
        try:
            client.remove_image(layer["Id"])
        except ImageNotFound:  # somebody else did
            return False
        except APIError as error:
            if error.status_code != 409:
                raise
            return False
    return True


def _image_id(client: "APIClient", ref: str, parent: str = "") -> str | None:
    """Return the id of what `ref` names, None where it is not here or not a layer over `parent`."""
    from docker.errors import ImageNotFound

    with docker_errors(f"cannot look at image {ref}", ImageError):
        try:
            image = client.inspect_image(ref)
        except ImageNotFound:
            return None
    labels = image["Config"].get("Labels") or {}
    return str(image["Id"]) if parent in {"", labels.get(PARENT)} else None


def _check(result: JobResult, problem: str) -> None:
    if result.exit_code == 0:
        return
    how = "took too long" if result.timed_out else result.stderr[-500:].decode("utf-8", "replace")
    raise SandboxError(f"{problem}: {how.strip()}", hint="no model is asked before this is mended")


def _script(name: str) -> str:
    texts = (files("evalkit.sandbox").joinpath(part) for part in ("history_stores.sh", name))
    return "".join(text.read_text(encoding="utf-8") for text in texts)

"""A container exists inside a `with` block, under one policy, and nowhere else."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit.errors import SandboxError
from evalkit.sandbox.daemon import PING_S, check_answer, docker_errors
from evalkit.types import Limits, Network

if TYPE_CHECKING:
    from docker import APIClient

CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID", "KILL")
"""Without these root can neither write a tree another uid owns nor stop what it started."""

REMOVAL_S = 60.0
START_S = 60.0
"""Of one start, which takes under a second: see `containers` for how many are under way at once."""

# What the daemon writes into a container without network. Where root does it inside, the daemon's
# network set-up is not needed: ready after 155 ms instead of 320 on 2 cores, most of it CPU time.
_HOSTS = r"printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' >>/etc/hosts"

SHM_SIZE = 64 * 2**20
"""Bytes of /dev/shm. Docker's own default, here whatever the daemon is set to; it counts as memory."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What to create. `limits` are effective ones; `user` empty means the image's own."""

    image: str
    script: str
    """POSIX shell of the main process, with `arguments` from $1 on."""
    arguments: Sequence[str]
    workdir: str
    labels: Mapping[str, str]
    limits: Limits
    network: Network
    init: bool
    auto_remove: bool
    user: str = ""
    root: bool
    """Whether that user, or the image's own, is root."""
    stdin: bool = False


def remove(client: "APIClient", container_id: str) -> None:
    """Remove a container with its volumes; one that is gone already is no error."""
    from docker.errors import APIError, NotFound

    with docker_errors(f"cannot remove container {container_id[:12]}"):
        try:
            client.remove_container(container_id, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != 409:  # 409: its own auto-removal is under way
                raise
            _await_removal(client, container_id)


@contextmanager
def container(
    client: "APIClient", spec: Spec, dispose: Callable[["APIClient", str], None] = remove
) -> Iterator[str]:
    """Create a container, yield its id, dispose of it on every way out. Does not start it."""
    own_hosts = spec.network is Network.NONE and spec.root
    script = f"{_HOSTS}\n{spec.script}" if own_hosts else spec.script
    with docker_errors(f"cannot create a container of {spec.image}"):
        created = client.create_container(
            image=spec.image,
            entrypoint=["/bin/sh", "-c", script, "evalkit", *spec.arguments],
            command=[],
            working_dir=spec.workdir,
            labels=dict(spec.labels),
            user=spec.user,
            stdin_open=spec.stdin,
            healthcheck={"test": ["NONE"]},
            # Still a namespace of its own with nothing but loopback, but made by the runtime alone.
            network_disabled=own_hosts,
            host_config=_host_config(client, spec),
        )
    container_id = str(created["Id"])
    try:
        yield container_id
    finally:
        dispose(client, container_id)


def start(client: "APIClient", container_id: str, timeout_s: float = START_S) -> None:
    """Start a container. Raises SandboxError where the daemon refuses or has not done it in time."""
    url = f"{client.base_url}/v{client.api_version}/containers/{container_id}/start"
    with docker_errors(f"cannot start container {container_id[:12]}"):
        check_answer(client.post(url, timeout=timeout_s))


def list_containers(client: "APIClient", labels: Sequence[str]) -> list[str]:
    """Return the ids of containers, running or not, that carry all labels."""
    with docker_errors("cannot list containers"):
        found = client.containers(all=True, filters={"label": list(labels)})
    return [str(entry["Id"]) for entry in found]


def kill(client: "APIClient", container_id: str) -> bool:
    """End a container's processes; whether it had not ended by itself."""
    from docker.errors import APIError

    with docker_errors(f"cannot end container {container_id[:12]}"):
        try:
            client.kill(container_id)
        except APIError as error:
            if error.status_code not in {404, 409}:
                raise
            return False
    return True


def _host_config(client: "APIClient", spec: Spec) -> Any:
    memory = spec.limits.memory_mib * 2**20
    return client.create_host_config(
        network_mode=spec.network.value,
        cap_drop=["ALL"],
        cap_add=list(CAPABILITIES),
        security_opt=["no-new-privileges"],
        pids_limit=spec.limits.pids,
        mem_limit=memory,
        memswap_limit=memory,
        shm_size=SHM_SIZE,
        nano_cpus=int(spec.limits.cpus * 1e9),
        init=spec.init,
        auto_remove=spec.auto_remove,
        log_config={"Type": "none"},
    )


def _await_removal(client: "APIClient", container_id: str) -> None:
    from docker.errors import NotFound

    deadline = time.monotonic() + REMOVAL_S
    while time.monotonic() < deadline:
        try:
            client.inspect_container(container_id)
        except NotFound:
            return
        time.sleep(0.05)
    raise SandboxError(
        f"container {container_id[:12]} is still being removed after {REMOVAL_S:.0f} s",
        hint=f"docker rm --force {container_id[:12]}",
    )


def is_running(client: "APIClient", container_id: str) -> bool:
    """Whether the container's main process is alive.

    Raises SandboxError where the daemon has not said so in time.
    """
    url = f"{client.base_url}/v{client.api_version}/containers/{container_id}/json"
    with docker_errors(f"cannot look at container {container_id[:12]}"):
        answer = client.get(url, timeout=PING_S)
        if answer.status_code == 404:
            return False
        check_answer(answer)
    return bool(answer.json()["State"]["Running"])

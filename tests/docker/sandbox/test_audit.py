"""Row E1: every container that is made, as the daemon sees it, keeps to one policy."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.protocols import Job
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.daemon import connect
from evalkit.sandbox.images import Images
from evalkit.sandbox.layers import drop_layers
from evalkit.sandbox.lifecycle import CAPABILITIES
from evalkit.sandbox.owner import RUN
from evalkit.types import Task
from tests.doubles.tags import own_tag

if TYPE_CHECKING:
    from docker import APIClient

pytestmark = pytest.mark.row("E1")

AUDITED = "test-audit"

ALLOWED: dict[str, object] = {
    "Binds": None,
    "CapDrop": ["ALL"],
    "Devices": None,
    "DeviceRequests": None,
    "IpcMode": "private",
    "Mounts": None,
    "PidMode": "",
    "Privileged": False,
    "PublishAllPorts": False,
    "SecurityOpt": ["no-new-privileges"],
    "UTSMode": "",
    "UsernsMode": "",
    "VolumesFrom": None,
}
"""Of HostConfig. An empty list is as good as None."""


def violations(facts: Any) -> list[str]:
    """What of a container's configuration the policy does not allow."""
    host, config = facts["HostConfig"], facts["Config"]
    found = [key for key, good in ALLOWED.items() if (host.get(key) or None) != (good or None)]
    # The name of a network that is off is the default's; see lifecycle.container.
    if host["NetworkMode"] != "none" and not config.get("NetworkDisabled"):
        found.append("network")
    if sorted(host["CapAdd"] or []) != sorted(CAPABILITIES):
        found.append("CapAdd")
    if not 0 < host["Memory"] == host["MemorySwap"]:
        found.append("memory")
    found += [key for key in ("PidsLimit", "NanoCpus") if not host[key]]
    if host["LogConfig"]["Type"] != "none" or config["Healthcheck"] != {"Test": ["NONE"]}:
        found.append("what runs or writes beside it")
    return found


class Audit:
    """Inspects each container of this module at the daemon's word that it was created."""

    def __init__(self) -> None:
        self.made = 0
        self.found: list[tuple[str, list[str]]] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        with closing(connect()) as client:
            filters = {"type": "container", "event": "create", "label": f"{RUN}={AUDITED}"}
            events = client.events(filters=filters, decode=True)
            thread = threading.Thread(target=self._read, args=(client, events))
            thread.start()
            try:
                yield
            finally:
                events.close()
                thread.join(timeout=20)

    def _read(self, client: "APIClient", events: Any) -> None:
        for event in events:
            facts = client.inspect_container(event["id"])
            self.made += 1
            if bad := violations(facts):
                self.found.append((facts["Config"]["Image"], bad))


@pytest.fixture(scope="module")
def audit(client: "APIClient", images: Images, repository: Task) -> Iterator[Audit]:
    """A rollout with its layer, a patch and jobs of both kinds, all inspected."""
    ref = own_tag("audited")
    images.build(ref, f"FROM {repository.image}\nRUN touch /audited\n", {}, lambda _: None)
    task = repository.model_copy(update={"image": ref})
    seen = Audit()
    try:
        with seen.running(), closing(DockerContainers(client, run_id=AUDITED)) as containers:
            with containers.rollout(task, 1) as sandbox:
                sandbox.patch()
            for heavy in (True, False):
                containers.run(Job(image=ref, script="true", heavy=heavy))
        yield seen
    finally:
        drop_layers(client, ref)
        client.remove_image(ref, force=True)


def test_every_container_of_a_run_is_seen(audit: Audit) -> None:
    assert audit.made == 6  # layer, proof, sandbox, capture, two jobs


def test_none_breaks_the_policy(audit: Audit) -> None:
    assert audit.found == []


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"privileged": True}, "Privileged"),
        ({"binds": ["/:/host"]}, "Binds"),
        ({"network_mode": "host"}, "network"),
        ({"pid_mode": "host"}, "PidMode"),
        ({"ipc_mode": "host"}, "IpcMode"),
        ({"devices": ["/dev/null:/dev/own"]}, "Devices"),
        ({"cap_add": ["SYS_ADMIN"]}, "CapAdd"),
        ({"security_opt": ["seccomp=unconfined"]}, "SecurityOpt"),
    ],
)
def test_the_audit_finds_a_bad_one(
    client: "APIClient", base: str, bad: dict[str, Any], told: str
) -> None:
    made = client.create_container(
        base, ["true"], healthcheck={"test": ["NONE"]}, host_config=client.create_host_config(**bad)
    )
    try:
        found = violations(client.inspect_container(made["Id"]))
    finally:
        client.remove_container(made["Id"], force=True)
    assert told in found

"""Removing what a dead evalkit left behind, and nothing of the living."""

from typing import TYPE_CHECKING

from evalkit.sandbox.daemon import docker_errors
from evalkit.sandbox.lifecycle import remove
from evalkit.sandbox.owner import OWNER, Owner

if TYPE_CHECKING:
    from docker import APIClient


def reap(client: "APIClient") -> list[str]:
    """Remove evalkit's containers whose owner is provably dead; return their ids."""
    with docker_errors("cannot list containers"):
        found = client.containers(all=True, filters={"label": OWNER})
    here = Owner.here()
    orphans = [
        str(entry["Id"])
        for entry in found
        if (owner := Owner.parse(entry["Labels"][OWNER])) and owner.is_dead(here)
    ]
    for container_id in orphans:
        remove(client, container_id)
    return orphans

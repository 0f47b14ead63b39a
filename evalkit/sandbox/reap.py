"""Removing what a dead evalkit left behind, and nothing of the living."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from evalkit.errors import SandboxError
from evalkit.sandbox.daemon import docker_errors
from evalkit.sandbox.lifecycle import remove
from evalkit.sandbox.owner import OWNER, Owner

if TYPE_CHECKING:
    from docker import APIClient


def reap(client: "APIClient", tell: Callable[[str], None]) -> list[str]:
    """Remove evalkit's containers whose owner is provably dead; return their ids.

    `tell` hears of those that stay: they are in the way of nobody.
    """
    with docker_errors("cannot list containers"):
        found = client.containers(all=True, filters={"label": OWNER})
    here = Owner.here()
    orphans = [
        str(entry["Id"])
        for entry in found
        if (owner := Owner.parse(entry["Labels"][OWNER])) and owner.is_dead(here)
    ]
    removed = []
    for container_id in orphans:
        try:
            remove(client, container_id)
        except SandboxError as error:
            tell(error.message)
        else:
            removed.append(container_id)
    return removed

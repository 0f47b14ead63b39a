import dataclasses
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from docker.errors import NotFound

from evalkit.sandbox.owner import OWNER, Owner
from evalkit.sandbox.reap import reap

if TYPE_CHECKING:
    from docker import APIClient

HERE = Owner.here()
Owned = Callable[[str], str]


@pytest.fixture
def owned(client: "APIClient", base: str) -> Iterator[Owned]:
    """Make a container with an owner label."""
    made: list[str] = []

    def make(label: str) -> str:
        made.append(client.create_container(base, ["true"], labels={OWNER: label})["Id"])
        return made[-1]

    yield make
    for name in made:
        with suppress(NotFound):
            client.remove_container(name, force=True)


@pytest.mark.parametrize(
    "dead",
    [
        dataclasses.replace(HERE, boot="an-earlier-boot"),
        dataclasses.replace(HERE, pid=2**22 + 1),
        dataclasses.replace(HERE, started=HERE.started - 1),
    ],
    ids=["G6-earlier boot", "G5-no such process", "G6-reused pid"],
)
def test_a_dead_owners_container_is_removed(client: "APIClient", owned: Owned, dead: Owner) -> None:
    name = owned(dead.label)
    assert name in reap(client, print)


@pytest.mark.parametrize(
    "label",
    [
        HERE.label,
        dataclasses.replace(HERE, host="elsewhere", boot="another").label,
        dataclasses.replace(HERE, namespace="pid:[1]", pid=2**22 + 1).label,
        "not a label of ours",
    ],
    ids=["itself", "another host", "another namespace", "another label"],
)
def test_what_may_be_alive_stays(client: "APIClient", owned: Owned, label: str) -> None:
    name = owned(label)
    assert name not in reap(client, print)

"""A real registry with faults in front of it, and images that only it has."""

import itertools
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from evalkit.sandbox.images import Images
from tests.doubles.registry import FaultProxy, Published

if TYPE_CHECKING:
    from docker import APIClient

PAUSES = (0.05, 0.1, 0.2)
_numbers = itertools.count()


@pytest.fixture
def pullers(client: "APIClient") -> Images:
    """Patient for a third of a second, not for five minutes."""
    return Images(client, pauses=PAUSES, silence_s=1.0)


@pytest.fixture
def publish(proxy: FaultProxy, images: Images) -> Iterator[Callable[..., Published]]:
    """Make an image unlike every other: the daemon keeps manifests and layers it has seen."""
    made: list[Published] = []

    def one(architecture: str = "amd64") -> Published:
        name = f"evalkit-test/{next(_numbers)}"
        made.append(proxy.publish(name, os.urandom(3000), architecture))
        return made[-1]

    yield one
    for image in made:
        images.remove(image.ref)


@pytest.fixture
def published(publish: Callable[..., Published]) -> Published:
    return publish()

from typing import TYPE_CHECKING

from evalkit.sandbox.images import Images
from evalkit.sandbox.lifecycle import remove
from tests.doubles.registry import FaultProxy, Published

if TYPE_CHECKING:
    from docker import APIClient


def pulled(images: Images, image: Published) -> str:
    images.pull(image.ref, lambda _: None)
    return image.ref


def test_a_removed_image_has_no_digest(images: Images, published: Published) -> None:
    ref = pulled(images, published)
    images.remove(ref)
    assert images.digest(ref) is None


def test_a_removed_image_can_be_had_again(images: Images, published: Published) -> None:
    ref = pulled(images, published)
    before = images.digest(ref)
    images.remove(ref)
    images.pull(ref, lambda _: None)
    assert images.digest(ref) == before


def test_an_image_that_is_not_here_is_no_error(images: Images, proxy: FaultProxy) -> None:
    images.remove(proxy.ref("evalkit-test/none"))


def test_an_image_that_a_container_was_made_from_is_left(
    client: "APIClient", images: Images, published: Published
) -> None:
    ref = pulled(images, published)
    container = client.create_container(ref, ["/file"])["Id"]
    try:
        images.remove(ref)
        assert images.digest(ref) is not None
    finally:
        remove(client, container)

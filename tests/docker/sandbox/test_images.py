from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import ImageError
from evalkit.sandbox.images import Images
from tests.doubles.tags import own_tag

if TYPE_CHECKING:
    from docker import APIClient

NOWHERE = "127.0.0.1:9/evalkit-test/none:1"


@pytest.fixture
def tag(client: "APIClient", images: Images) -> Iterator[str]:
    name = own_tag("built")
    yield name
    if images.digest(name):
        client.remove_image(name, force=True)


def test_an_image_that_is_not_here_has_no_digest(images: Images) -> None:
    assert images.digest("evalkit-test/none:1") is None


def test_an_image_that_no_registry_knows_goes_by_its_id(
    client: "APIClient", images: Images, base: str
) -> None:
    assert images.digest(base) == client.inspect_image(base)["Id"]


def test_files_beside_the_dockerfile_can_be_copied(images: Images, tag: str) -> None:
    images.build(tag, "FROM scratch\nCOPY a/file /file\n", {"a/file": b"x"}, lambda _: None)
    assert images.digest(tag) is not None


def test_a_build_tells_its_steps(images: Images, tag: str) -> None:
    said: list[str] = []
    images.build(tag, "FROM scratch\nCOPY file /file\n", {"file": b"x"}, said.append)
    assert [line.partition(" : ")[2] for line in said] == ["FROM scratch", "COPY file /file"]


def test_a_failed_step_shows_its_output(images: Images, base: str, tag: str) -> None:
    dockerfile = f"FROM {base}\nRUN echo the reason; exit 3\n"
    with pytest.raises(ImageError, match=r"(?s)code: 3.*the reason"):
        images.build(tag, dockerfile, {}, lambda _: None)


def test_a_dockerfile_that_cannot_be_read_is_an_image_error(images: Images, tag: str) -> None:
    with pytest.raises(ImageError, match="cannot build"):
        images.build(tag, "FORM scratch\n", {}, lambda _: None)


def test_a_base_that_is_here_is_left_alone(images: Images, base: str) -> None:
    said: list[str] = []
    images.ensure_base(ref=NOWHERE, suite="bookworm", packages=(), tag=base, say=said.append)
    assert said == []


def test_without_registry_and_debootstrap_the_error_names_the_way_out(
    images: Images, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ImageError) as caught:
        images.ensure_base(
            ref=NOWHERE, suite="bookworm", packages=("git",), tag=tag, say=lambda _: None
        )
    assert "debootstrap" in caught.value.hint


def test_a_failed_bootstrap_leaves_no_image(images: Images, tag: str) -> None:
    with pytest.raises(ImageError, match="debootstrap ended with"):
        images.ensure_base(
            ref=NOWHERE, suite="no-such-suite", packages=("git",), tag=tag, say=lambda _: None
        )
    assert images.digest(tag) is None

"""What is made of the daemon's words, and of its silence."""

import pytest
from docker.errors import APIError
from requests import ConnectionError as Disconnected
from urllib3.exceptions import ProtocolError

from evalkit.errors import ImageError, SandboxError
from evalkit.sandbox.daemon import docker_errors, says_no_room


@pytest.mark.parametrize(
    "words",
    [
        "write /var/lib/docker/overlay2/3d2e-init/link: no space left on device",
        "Error processing tar file(exit status 1): write /tmp/x: no space left on device",
        "failed to create task: mkdir /run/x: no space left on device: unknown",
        "mkdir /var/lib/docker/containers/1: disk quota exceeded",
    ],
)
def test_a_full_disk_is_known_by_the_daemons_last_words(words: str) -> None:
    assert says_no_room(words)


@pytest.mark.parametrize(
    "words",
    [
        'exec: "/no space left on device": stat /no space left on device: no such file or directory',
        "Could not find the file /no space left on device in container 829370deb386",
        'invalid reference format: "no space left on device"',
        "device or resource busy",
    ],
)
def test_a_name_that_somebody_chose_makes_no_full_disk(words: str) -> None:
    assert not says_no_room(words)


def told(error: Exception) -> type[SandboxError]:
    """What becomes of an error while an image is looked at."""
    with pytest.raises(SandboxError) as caught, docker_errors("looking", ImageError):
        raise error
    return caught.type


def test_what_the_daemon_answers_of_an_image_is_an_error_of_the_image() -> None:
    assert told(APIError("invalid reference")) is ImageError


def test_that_it_does_not_answer_says_nothing_of_the_image() -> None:
    assert told(Disconnected("connection refused")) is SandboxError


def test_why_a_daemon_is_away_is_told_in_the_systems_words() -> None:
    gone = Disconnected(ProtocolError("Connection aborted.", FileNotFoundError(2, "No such file")))
    with pytest.raises(SandboxError) as caught, docker_errors("looking"):
        raise gone
    assert caught.value.message == "looking: No such file"

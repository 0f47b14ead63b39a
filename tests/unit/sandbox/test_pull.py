from collections.abc import Mapping
from typing import Any

import pytest

from evalkit.errors import DiskFullError, NetworkError
from evalkit.sandbox import pull
from evalkit.sandbox.pull import PAUSES, Progress, trouble

# What daemons of two kinds (their own image store, containerd's) say.
LIMITED = [
    "toomanyrequests: You have reached your unauthenticated pull rate limit.",
    'error parsing HTTP 429 response body: unexpected end of JSON input: ""',
    "failed to copy: httpReadSeeker: failed open: unexpected status code"
    " https://registry.example/v2/a/blobs/b: 429 Too Many Requests",
]
PASSING = [
    "received unexpected HTTP status: 500 Internal Server Error",
    "download failed after attempts=6: received unexpected HTTP status: 503 Service Unavailable",
    "error parsing HTTP 502 response body: invalid character '<'",
    "unexpected status from HEAD request to https://registry.example/v2/a: 502 Bad Gateway",
    "read tcp 127.0.0.1:4->127.0.0.1:5: read: connection reset by peer",
    "unexpected EOF",
    "filesystem layer verification failed for digest sha256:15",
    "net/http: TLS handshake timeout",
    "dial tcp: lookup registry.example: i/o timeout",
    "context deadline exceeded",
    "timed out: neither registry nor daemon said a word for 600 s",
]
FINAL = [
    "manifest for acme/timeout:1 not found: manifest unknown: manifest unknown",
    "pull access denied for acme/a, repository does not exist or may require 'docker login'",
    "unauthorized: authentication required",
    'error parsing HTTP 403 response body: unexpected end of JSON input: ""',
    "no matching manifest for linux/amd64 in the manifest list entries",
    "image was found but does not match the specified platform: wanted linux/amd64",
    "dial tcp: lookup registry.example: no such host",
    "something that no daemon said before",
]


@pytest.mark.parametrize("words", LIMITED)
def test_a_rate_limit_gets_every_pause(words: str) -> None:
    assert trouble(words).pauses == len(PAUSES)


@pytest.mark.parametrize("words", PASSING)
def test_a_fault_that_passes_gets_some_of_the_pauses(words: str) -> None:
    assert 0 < trouble(words).pauses < len(PAUSES)


@pytest.mark.parametrize("words", FINAL)
def test_what_stays_as_it_is_gets_no_pause(words: str) -> None:
    assert trouble(words).pauses == 0


def test_no_room_is_a_class_of_its_own() -> None:
    assert trouble("failed to register layer: no space left on device").error is DiskFullError


@pytest.mark.parametrize("words", [*LIMITED, "dial tcp: lookup registry.example: no such host"])
def test_a_registry_that_fails_is_a_fault_of_the_network(words: str) -> None:
    assert trouble(words).error is NetworkError


def test_no_room_names_the_way_out() -> None:
    assert "--set images.keep=false" in trouble("write /file: no space left on device").hint


def test_a_rate_limit_is_waited_out_for_five_minutes() -> None:
    assert sum(PAUSES) == 300


def test_pauses_grow() -> None:
    assert sorted(PAUSES) == list(PAUSES)


LAYERS: list[Mapping[str, Any]] = [
    {"status": "Pulling from acme/a", "id": "1"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "x"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "y"},
    {"status": "Already exists", "progressDetail": {}, "id": "z"},
    {"status": "Downloading", "progressDetail": {"current": 10**6, "total": 10**7}, "id": "x"},
]


def test_progress_tells_bytes_and_of_how_many_layers_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pull, "SAY_EVERY_S", 0.0)
    said: list[str] = []
    progress = Progress("acme/a:1", said.append)
    for entry in LAYERS:
        progress.take(entry)
    assert said[-1] == "pulling acme/a:1: 1.0 MB of 10.0 MB in 1 of 2 layers"


def test_progress_is_not_told_at_every_line() -> None:
    said: list[str] = []
    progress = Progress("acme/a:1", said.append)
    for entry in LAYERS * 100:
        progress.take(entry)
    assert said == []


def test_a_layer_is_whole_when_its_download_is_complete() -> None:
    progress = Progress("acme/a:1", print)
    for entry in [*LAYERS, {"status": "Download complete", "progressDetail": {}, "id": "x"}]:
        progress.take(entry)
    assert str(progress) == "10.0 MB of 10.0 MB in 1 of 2 layers"


def test_the_end_tells_the_size() -> None:
    said: list[str] = []
    Progress("acme/a:1", said.append).end(1_234_000_000)
    assert said[0].startswith("pulled acme/a:1: 1,234.0 MB on disk, ")

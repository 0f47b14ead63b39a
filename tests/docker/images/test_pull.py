import base64
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.errors import ImageError
from evalkit.sandbox.daemon import connect
from evalkit.sandbox.images import Images
from tests.doubles.registry import BLOB, Fault, FaultProxy, Published

LIMIT = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your limit."}]}'
JSON = {"Content-Type": "application/json"}


def quiet(_: str) -> None:
    """Take a line of progress."""


def failure(images: Images, ref: str) -> ImageError:
    with pytest.raises(ImageError) as caught:
        images.pull(ref, quiet)
    return caught.value


def test_a_pulled_image_goes_by_its_registrys_digest(pullers: Images, published: Published) -> None:
    pullers.pull(published.ref, quiet)
    name = published.ref.rpartition(":")[0]
    assert (pullers.digest(published.ref) or "").startswith(f"{name}@sha256:")


def test_the_user_hears_the_start_and_the_end(pullers: Images, published: Published) -> None:
    said: list[str] = []
    pullers.pull(published.ref, said.append)
    assert [line.partition(published.ref)[0] for line in said] == ["pulling ", "pulled "]


def test_an_image_that_is_here_is_not_asked_for(
    pullers: Images, published: Published, proxy: FaultProxy
) -> None:
    pullers.pull(published.ref, quiet)
    before = proxy.asked("")
    pullers.pull(published.ref, quiet)
    assert proxy.asked("") == before


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("answer", times=2, status=429), id="rate limit, no words"),
        pytest.param(
            Fault("answer", times=2, status=429, body=LIMIT, headers=JSON), id="rate limit"
        ),
        pytest.param(
            Fault("answer", times=2, status=429, body=LIMIT, headers=JSON | {"Retry-After": "1"}),
            id="rate limit with Retry-After",
        ),
        pytest.param(Fault("answer", status=500), id="500"),
        pytest.param(Fault("answer", status=503, body=b"<html>busy</html>"), id="503"),
        pytest.param(Fault("drop"), id="dropped manifest"),
        pytest.param(Fault("truncate"), id="truncated manifest"),
        pytest.param(Fault("corrupt", BLOB), id="corrupt layer"),
        pytest.param(Fault("slow", BLOB, seconds=2.0), id="stalled layer"),
    ],
)
def test_what_passes_is_tried_again(
    pullers: Images, published: Published, proxy: FaultProxy, fault: Fault
) -> None:
    proxy.faults = [replace(fault)]
    said: list[str] = []
    pullers.pull(published.ref, said.append)
    assert sum("next try" in line for line in said) == fault.times


def test_a_rate_limit_of_layers_passes_too(
    pullers: Images, published: Published, proxy: FaultProxy
) -> None:
    proxy.faults = [Fault("answer", BLOB, times=2, status=429, body=LIMIT, headers=JSON)]
    pullers.pull(published.ref, quiet)
    assert pullers.digest(published.ref) is not None


@pytest.mark.parametrize("fault", [Fault("drop"), Fault("truncate")], ids=lambda it: it.kind)
def test_a_layer_cut_in_its_middle_is_fetched_again(
    images: Images, published: Published, proxy: FaultProxy, fault: Fault
) -> None:
    proxy.faults = [replace(fault, path=published.layer)]
    images.pull(published.ref, quiet)
    assert (images.digest(published.ref) is None, proxy.asked(published.layer)) == (False, 2)


def test_a_rate_limit_that_lasts_names_the_way_out(
    pullers: Images, published: Published, proxy: FaultProxy
) -> None:
    proxy.faults = [Fault("answer", times=99, status=429, body=LIMIT, headers=JSON)]
    assert "docker login" in failure(pullers, published.ref).hint


def test_a_rate_limit_that_lasts_ends_after_the_last_pause(
    pullers: Images, published: Published, proxy: FaultProxy
) -> None:
    proxy.faults = [Fault("answer", times=99, status=429, body=LIMIT, headers=JSON)]
    assert "after 4 tries: toomanyrequests" in failure(pullers, published.ref).message


def test_a_tag_that_is_missing_fails_at_once(
    pullers: Images, published: Published, proxy: FaultProxy
) -> None:
    ref = published.ref.rpartition(":")[0] + ":2"
    assert f"cannot pull {ref}: manifest for {ref} not found" in failure(pullers, ref).message


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_not_tried_again(
    pullers: Images, published: Published, proxy: FaultProxy, status: int
) -> None:
    proxy.faults = [Fault("answer", times=99, status=status)]
    error = failure(pullers, published.ref)
    assert ("tries" in error.message, "docker login" in error.hint) == (False, True)


def test_a_registry_that_is_not_there_is_named(pullers: Images) -> None:
    error = failure(pullers, "127.0.0.1:9/evalkit-test/none:1")
    assert "cannot reach the registry" in error.hint


def test_an_image_for_another_processor_is_refused(
    pullers: Images, publish: Callable[..., Published]
) -> None:
    error = failure(pullers, publish("arm64").ref)
    assert "for linux/arm64, not linux/amd64" in error.message


def test_an_image_for_another_processor_does_not_stay(
    pullers: Images, publish: Callable[..., Published]
) -> None:
    ref = publish("arm64").ref
    failure(pullers, ref)
    assert pullers.digest(ref) is None


def test_the_users_own_docker_login_is_used(
    published: Published, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.login = "user:secret"
    registry = published.ref.partition("/")[0]
    auths = {registry: {"auth": base64.b64encode(proxy.login.encode()).decode()}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with closing(connect()) as client:
        images = Images(client)
        images.pull(published.ref, quiet)
        assert images.digest(published.ref) is not None


def test_without_a_login_a_private_registry_names_the_way_out(
    pullers: Images, published: Published, proxy: FaultProxy
) -> None:
    proxy.login = "user:secret"
    assert "docker login" in failure(pullers, published.ref).hint

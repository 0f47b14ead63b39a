"""SWE-bench Pro's images come from a registry while others are graded, and go when they are done."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from evalkit.sandbox.images import Images
from tests.docker.cli.conftest import Evalkit
from tests.doubles.pro import build_pro_images, history, pro_id, pro_image, write_pro_data
from tests.doubles.registry import Fault, FaultProxy, fault_proxy

if TYPE_CHECKING:
    from docker import APIClient

REPOSITORY = "evalkit-test/shapes"
PROMPT, LIMITED, LATE, MISSING = "any-wins", "on-stderr", "blob", "silent"
JSON = {"Content-Type": "application/json"}
RATE_LIMIT = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your limit."}]}'


class Graded(NamedTuple):
    done: "subprocess.CompletedProcess[str]"
    folder: Path
    proxy: FaultProxy

    def outcome(self, shape: str) -> Any:
        return self._result(shape)["outcome"]

    def error(self, shape: str) -> Any:
        return self._result(shape)["error"]

    def _result(self, shape: str) -> Mapping[str, Any]:
        return next(one for one in self.lines("results.jsonl") if one["task_id"] == pro_id(shape))

    def at(self, kind: str, shape: str) -> float:
        """When something happened, in seconds of Unix time."""
        events = (one for one in self.lines("events.jsonl") if one["kind"] == kind)
        return next(float(one["t"]) for one in events if one["task_id"] == pro_id(shape))

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]


def tag(shape: str) -> str:
    return pro_image(shape).rpartition(":")[2]


def publish(client: "APIClient", images: Images, port: int, shapes: tuple[str, ...]) -> None:
    build_pro_images(images)
    repository = f"127.0.0.1:{port}/{REPOSITORY}"
    for shape in shapes:
        client.tag(pro_image(shape), repository, tag(shape))
        last = list(client.push(repository, tag(shape), stream=True, decode=True))[-1]
        assert "error" not in last
        images.remove(f"{repository}:{tag(shape)}")


@pytest.fixture(scope="module")
def graded(
    client: "APIClient",
    images: Images,
    registry_port: int,
    evalkit: Evalkit,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Graded]:
    """Four instances: one that is had at once, one after two refusals, a late one, a missing one."""
    publish(client, images, registry_port, (PROMPT, LIMITED, LATE))
    folder = tmp_path_factory.mktemp("pulled")
    rows, scripts = write_pro_data(folder)
    gold = [
        {"instance_id": pro_id(shape), "patch": history().patch, "prefix": "gold"}
        for shape in (PROMPT, LIMITED, LATE, MISSING)
    ]
    (folder / "gold.json").write_text(json.dumps(gold))
    with fault_proxy(registry_port) as proxy:
        renewed = {shape: proxy.renew(REPOSITORY, tag(shape)) for shape in (LIMITED, LATE)}
        proxy.faults = [
            Fault("answer", renewed[LIMITED], times=2, status=429, body=RATE_LIMIT, headers=JSON),
            Fault("slow", renewed[LATE], seconds=6.0),
        ]
        done = evalkit(
            *("grade", "--suite", "swebench-pro", "-o", str(folder / "run"), "-w", "2"),
            *("--predictions", str(folder / "gold.json"), "--set", "images.keep=false"),
            *("--set", f"suite.rows={rows}", "--set", f"suite.scripts={scripts}"),
            *("--set", f"suite.images=127.0.0.1:{proxy.server_port}/{REPOSITORY}"),
            *("--set", "suite.network=none"),
        )
        yield Graded(done, folder / "run", proxy)


@pytest.mark.parametrize("shape", [PROMPT, LIMITED, LATE])
def test_an_instance_is_graded_once_its_image_could_be_pulled(graded: Graded, shape: str) -> None:
    assert graded.outcome(shape) == "resolved"


def test_pulling_goes_on_while_others_are_graded(graded: Graded) -> None:
    assert graded.at("graded", PROMPT) < graded.at("image", LATE)


def test_a_rate_limit_is_waited_out(graded: Graded) -> None:
    assert graded.done.stderr.count("toomanyrequests: You have reached your limit.; next try") == 2


def test_an_image_that_is_missing_is_no_zero(graded: Graded) -> None:
    assert graded.outcome(MISSING) == "infra_error"


def test_the_result_names_what_is_missing(graded: Graded) -> None:
    assert f"{REPOSITORY}:{tag(MISSING)} not found" in graded.error(MISSING)


def test_the_score_stands_with_and_without_it(graded: Graded) -> None:
    rows = [line.split("  ")[0] for line in graded.done.stdout.splitlines() if " of " in line]
    assert rows == ["selected", "resolved", "without infra errors"]


def test_infra_errors_are_told_by_the_exit_code(graded: Graded) -> None:
    assert graded.done.returncode == 3


@pytest.mark.parametrize("shape", [PROMPT, LIMITED, LATE])
def test_an_image_goes_once_its_instance_is_graded(
    graded: Graded, images: Images, shape: str
) -> None:
    ref = graded.proxy.ref(REPOSITORY, tag(shape))
    assert images.digest(ref) is None

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.cli.wiring import environment
from evalkit.config.engine import EngineConfig
from evalkit.errors import EngineError
from evalkit.sandbox.images import Images
from evalkit.sandbox.owner import OWNER, Owner
from evalkit.sandbox.reap import reap
from tests.doubles.opened import open_engine
from tests.doubles.tags import own_tag

if TYPE_CHECKING:
    from docker import APIClient

PATIENCE_S = 60  # idle it takes 6 s; the rest is for a machine whose cores are all in use
DOCKERFILE = """FROM {base}
COPY api_server.py /usr/lib/python3/dist-packages/vllm/entrypoints/openai/api_server.py
"""
SERVES = """
import os, sys, time
from pathlib import Path
from evalkit.config.engine import EngineConfig
from evalkit.sandbox.owner import OWNER, Owner
from tests.doubles.opened import open_engine
config, log = EngineConfig.model_validate_json(sys.argv[1]), Path(sys.argv[2])
labels = {OWNER: Owner.here().label, "evalkit.test": log.parent.name}
with open_engine(config, cache=log.parent, log=log, environ=dict(os.environ), labels=labels) as up:
    print(up.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def image(client: "APIClient", images: Images, base: str) -> Iterator[str]:
    """What stands for vLLM's image: its module answers, without a model."""
    tag = own_tag("engine")
    server = (Path(__file__).parents[2] / "doubles" / "engine_server.py").read_bytes()
    images.build(tag, DOCKERFILE.format(base=base), {"api_server.py": server}, lambda _: None)
    yield tag
    client.remove_image(tag, force=True)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


@pytest.fixture
def config(image: str, weights: Path) -> EngineConfig:
    return EngineConfig(kind="vllm-docker", model=str(weights), image=image, start_timeout_s=60)


def containers(client: "APIClient", label: str) -> list[str]:
    found = client.containers(all=True, filters={"label": label})
    return [str(entry["Id"]) for entry in found]


def until(condition: Callable[[], bool], seconds: float = PATIENCE_S) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def test_it_answers_and_is_gone_on_leaving_the_block(
    client: "APIClient", config: EngineConfig, tmp_path: Path
) -> None:
    log = tmp_path / "engine.log"
    mine = f"evalkit.test={tmp_path.name}"
    with open_engine(
        config,
        cache=tmp_path,
        log=log,
        environ=environment(),
        labels={OWNER: Owner.here().label, "evalkit.test": tmp_path.name},
    ) as endpoint:
        assert (endpoint.version, endpoint.answers_as) == ("stand-in", config.model)
        assert len(containers(client, mine)) == 1
    assert containers(client, mine) == []
    assert "Starting vLLM server" in log.read_text()


def test_an_image_that_is_not_there_is_said_with_dockers_words(
    config: EngineConfig, tmp_path: Path
) -> None:
    missing = config.model_copy(update={"image": "localhost:1/no/such:image"})
    with (
        pytest.raises(EngineError, match=r"exit 125[\s\S]*no/such"),
        open_engine(missing, cache=tmp_path, log=tmp_path / "log", environ=environment()),
    ):
        pass


@pytest.fixture
def serving(config: EngineConfig, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another evalkit that serves it, up and running."""
    argv = [sys.executable, "-c", SERVES, config.model_dump_json(), str(tmp_path / "engine.log")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as evalkit:
        assert evalkit.stdout is not None
        assert evalkit.stdout.readline()
        yield evalkit
        evalkit.kill()


def test_the_container_is_gone_where_evalkit_was_killed(
    client: "APIClient", serving: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    mine = f"evalkit.test={tmp_path.name}"
    assert len(containers(client, mine)) == 1
    serving.kill()
    assert until(lambda: containers(client, mine) == [])


def test_a_frozen_container_is_gone_too(
    client: "APIClient", serving: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    mine = f"evalkit.test={tmp_path.name}"
    client.pause(containers(client, mine)[0])
    serving.kill()
    assert until(lambda: containers(client, mine) == [])


def test_where_even_its_guard_was_killed_it_is_found_as_a_dead_ones(
    client: "APIClient", serving: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    (left,) = containers(client, f"evalkit.test={tmp_path.name}")
    for pid in children(serving.pid):
        os.kill(pid, signal.SIGKILL)
    serving.kill()
    serving.wait()
    assert left in reap(client, print)


def children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]

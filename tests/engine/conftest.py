import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from evalkit.cli.wiring import cache_folder, environment
from evalkit.config.engine import EngineConfig
from evalkit.config.runner import load_runner
from evalkit.serving.endpoint import Endpoint
from evalkit.serving.interpreter import engine_python
from evalkit.serving.meter import Meter
from evalkit.serving.metrics import scrape
from evalkit.serving.weights import ensure_weights
from evalkit.types import EngineSample, Usage
from tests.doubles.opened import open_engine

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def living(group: int) -> list[str]:
    lines = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                lines.append(" ".join(process.cmdline()))
        except (psutil.Error, ProcessLookupError):
            continue
    return lines


@pytest.fixture(scope="session")
def processes() -> Callable[[int], list[str]]:
    """Command lines of the living processes of a group."""
    return living


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seed model's architecture, small: real sharding and parsers, random weights."""
    runner = load_runner("quickstart", [])
    assert runner.engine.gguf is not None
    python = engine_python("auto", cache_folder())
    weights = ensure_weights(runner.engine.gguf, "quickstart", cache_folder(), python, print)
    folder = tmp_path_factory.mktemp("tiny")
    shutil.copy(Path(__file__).with_name("tiny_qwen3_next.json"), folder / "config.json")
    for name in TOKENIZER_FILES:
        shutil.copy(weights / name, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_config(tiny_model: Path) -> EngineConfig:
    return EngineConfig(
        model=str(tiny_model),
        tensor_parallel_size=2,
        max_model_len=4096,
        load_format="dummy",
        tool_parser="qwen3_coder",
        enforce_eager=True,
        cpu_kv_cache_gib=1,
        start_timeout_s=550,
    )


class Started(NamedTuple):
    """A running engine, its counters before any test asked for anything, and the probe's tokens."""

    endpoint: Endpoint
    counted: EngineSample
    probed: Usage


@pytest.fixture(scope="session")
def started(
    tiny_config: EngineConfig, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    log, meter = tmp_path_factory.mktemp("engine") / "engine.log", Meter()
    with open_engine(
        tiny_config, cache=cache_folder(), log=log, environ=environment(), meter=meter
    ) as endpoint:
        yield Started(endpoint, scrape(endpoint.url), meter.books[1].probes)
    assert endpoint.pid is not None
    assert living(endpoint.pid) == []


@pytest.fixture(scope="session")
def tiny_engine(started: Started) -> Endpoint:
    """A running engine, one for the whole session; afterwards none of its processes is left."""
    return started.endpoint

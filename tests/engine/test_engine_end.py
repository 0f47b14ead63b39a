import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.cli.wiring import cache_folder, environment
from evalkit.config.engine import EngineConfig
from evalkit.errors import EngineError
from tests.doubles.opened import open_engine

# Idle it takes 2 s, frozen 5.5 s; the rest is for a machine whose cores are all in use.
PATIENCE_S = 40
SERVES = """
import os, sys, time
from pathlib import Path
from evalkit.config.engine import EngineConfig
from tests.doubles.opened import open_engine
config = EngineConfig.model_validate_json(sys.argv[1])
cache, log = Path(sys.argv[2]), Path(sys.argv[3])
with open_engine(config, cache=cache, log=log, environ=dict(os.environ)) as endpoint:
    print(endpoint.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("frozen", [False, True], ids=["running", "frozen"])
def test_nothing_of_the_engine_outlives_a_killed_evalkit(
    tiny_config: EngineConfig,
    tmp_path: Path,
    processes: Callable[[int], list[str]],
    *,
    frozen: bool,
) -> None:
    log = tmp_path / "engine.log"
    evalkit = subprocess.Popen(
        [
            sys.executable,
            "-c",
            SERVES,
            tiny_config.model_dump_json(),
            str(cache_folder()),
            str(log),
        ],
        stdout=subprocess.PIPE,
    )
    assert evalkit.stdout is not None
    group = int(evalkit.stdout.readline())
    if frozen:
        os.killpg(group, signal.SIGSTOP)
    evalkit.kill()
    evalkit.communicate()
    begun = time.monotonic()
    while processes(group) and time.monotonic() - begun < PATIENCE_S:
        time.sleep(0.2)
    assert processes(group) == []


def test_a_misspelt_tool_parser_is_said_long_before_the_deadline(
    tiny_config: EngineConfig, tmp_path: Path
) -> None:
    config = tiny_config.model_copy(update={"tool_parser": "qwen3_codre"})
    begun = time.monotonic()
    with (
        pytest.raises(EngineError, match="invalid tool call parser: qwen3_codre"),
        open_engine(
            config, cache=cache_folder(), log=tmp_path / "engine.log", environ=environment()
        ),
    ):
        pass
    assert time.monotonic() - begun < tiny_config.start_timeout_s / 2

"""As many rollouts at once as a real engine's KV cache holds: of 1 GiB fewer than of 4."""

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from evalkit.agents.prompt import Prompt
from evalkit.agents.tools import ToolAgent
from evalkit.config.engine import EngineConfig
from evalkit.config.runner import AgentConfig, RolloutLimits, Sampling
from tests.doubles.campaign import FakeParts
from tests.doubles.instant import run_at_once
from tests.doubles.supervised import supervised
from tests.doubles.tasks import make_task

pytestmark = pytest.mark.alone

ROLLOUTS, CONTEXT = 12, 1000
"""CONTEXT in tokens. The model keeps 229 KB of each in either rank (in float32; half of it in
bfloat16): 1 GiB is 4,700 tokens."""


class Run(NamedTuple):
    most: int
    """Rollouts that were admitted at once."""
    preemptions: int
    finished: int


@pytest.fixture(scope="module")
def model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Little to compute, and much to remember of every token."""
    folder = tmp_path_factory.mktemp("remembers")
    shutil.copytree(tiny_model, folder, dirs_exist_ok=True)
    shutil.copy(Path(__file__).with_name("tiny_qwen3.json"), folder / "config.json")
    return folder


def run(model: Path, gib: int, folder: Path) -> Run:
    config = EngineConfig(
        model=str(model),
        tensor_parallel_size=2,
        max_model_len=4096,
        load_format="dummy",
        dtype="auto",
        enforce_eager=True,
        cpu_kv_cache_gib=gib,
        start_timeout_s=550,
    )
    tasks = [
        make_task(id=f"task-{number}", problem=f"{number} " + "word " * 400)
        for number in range(ROLLOUTS)
    ]
    with (
        supervised(config, folder, most=ROLLOUTS, expected_context=CONTEXT) as engine,
        engine.chat(Sampling(max_tokens=24), {"ignore_eos": True}) as chat,
    ):
        gate = engine.watch.gate
        agent = ToolAgent(
            model=chat,
            prompt=Prompt.load("compact"),
            config=AgentConfig(tool_format="fenced"),
            limits=RolloutLimits(turns=2),
            stopping=gate.stopping,
        )
        finished = run_at_once(agent, tasks, FakeParts(), gate)
    samples = engine.notes.samples
    return Run(
        most=max(
            int(str(facts["limit"])) for kind, facts in engine.notes.events if kind == "admission"
        ),
        preemptions=max(sample.preemptions for sample in samples),
        finished=len(finished),
    )


@pytest.fixture(scope="module")
def runs(
    model: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[int, Run]:
    """Run with either cache; what was admitted is a figure to read, so it is printed."""
    seen = {gib: run(model, gib, tmp_path_factory.mktemp(f"kv{gib}")) for gib in (1, 4)}
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        for gib, one in seen.items():
            sys.stdout.write(f"\nKV cache of {gib} GiB: {one}")
    return seen


def test_four_times_the_cache_admits_more(runs: dict[int, Run]) -> None:
    assert runs[1].most < runs[4].most


@pytest.mark.parametrize("gib", [1, 4])
def test_nothing_is_put_back_for_want_of_cache(gib: int, runs: dict[int, Run]) -> None:
    assert runs[gib].preemptions == 0


@pytest.mark.parametrize("gib", [1, 4])
def test_every_rollout_comes_to_its_end(gib: int, runs: dict[int, Run]) -> None:
    assert runs[gib].finished == ROLLOUTS

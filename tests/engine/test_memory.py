"""Our sum of the KV cache, held against vLLM's own, which refuses to start for want of it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from evalkit.cli.wiring import cache_folder, environment
from evalkit.config.engine import EngineConfig
from evalkit.serving.fit import memory
from evalkit.serving.interpreter import engine_python
from evalkit.serving.machine import this_machine
from evalkit.serving.shape import look_at
from evalkit.serving.shorten import shorter
from evalkit.serving.vllm import launch

# 8 KiB a token on each of two processes: 2 GiB for the whole context, where there is 1.
MODEL = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "dtype": "bfloat16",
    "vocab_size": 151936,
    "hidden_size": 1024,
    "intermediate_size": 256,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "hidden_act": "silu",
    "max_position_embeddings": 262144,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
}


@pytest.fixture(scope="module")
def config(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> EngineConfig:
    folder = tmp_path_factory.mktemp("long")
    shutil.copytree(tiny_model, folder, dirs_exist_ok=True)
    (folder / "config.json").write_text(json.dumps(MODEL))
    return EngineConfig(
        model=str(folder),
        tensor_parallel_size=2,
        max_model_len=262144,
        shorten_to_fit=True,
        load_format="dummy",
        enforce_eager=True,
        cpu_kv_cache_gib=1,
    )


@pytest.fixture(scope="module")
def log(config: EngineConfig) -> str:
    """What vLLM said as it did not start."""
    plan = launch(
        config,
        this_machine({}),
        python=engine_python("auto", cache_folder()),
        weights=config.model,
        port=0,
        environ=environment(),
    )
    done = subprocess.run(
        ["nice", *plan.argv],
        env=plan.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout


def test_one_sequence_takes_what_vllm_says_it_does(config: EngineConfig, log: str) -> None:
    needed = re.search(r"\(([\d.]+) GiB KV cache is needed", log)
    assert needed is not None, log[-2000:]
    ours = memory(config, this_machine({}), look_at(config, config.model, None)).token * 262144
    assert float(needed[1]) == pytest.approx(ours, rel=0.01)


def test_after_that_vllm_is_asked_to_choose_the_length(config: EngineConfig, log: str) -> None:
    following = shorter(config, log)
    assert following is not None
    assert following.longest_that_fits

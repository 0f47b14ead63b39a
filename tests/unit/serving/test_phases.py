"""Lines as vLLM 0.32, SGLang 0.5.23 and `docker run` write them, the names shortened."""

import pytest

from evalkit.serving.phases import Progress

# A real start of vLLM on CPU, from a local folder.
VLLM_CPU = """\
(APIServer pid=1) INFO 11-25 10:08:25 [model.py:733] Resolved architecture: Qwen2ForCausalLM
(APIServer pid=1) WARNING 11-25 10:08:25 [vllm.py:1703] Enforce eager set, disabling torch.compile, CUDAGraphs, and JIT kernel warmup.
(EngineCore pid=2) INFO 11-25 10:08:44 [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: model='/w/m'
(Worker_TP0 pid=3) INFO 11-25 10:09:27 [cpu_model_runner.py:68] Starting to load model /w/m...
(Worker_TP0 pid=3) INFO 11-25 10:09:28 [base_loader.py:82] Initializing model took 0.617648 seconds
Loading safetensors checkpoint shards:   0% Completed | 0/1 [00:00<?, ?it/s]
Loading safetensors checkpoint shards: 100% Completed | 1/1 [00:08<00:00,  8.72s/it]
(Worker_TP1 pid=4) INFO 11-25 10:09:36 [cpu_model_runner.py:68] Starting to load model /w/m...
(Worker_TP0 pid=3) INFO 11-25 10:09:36 [default_loader.py:501] Loading weights took 8.78 seconds
(EngineCore pid=2) INFO 11-25 10:09:43 [kv_cache_utils.py:2327] CPU KV cache size: 37,376 tokens
(EngineCore pid=2) INFO 11-25 10:09:45 [core.py:402] init engine (profile, create kv cache, warmup model) took 2.29 s
(APIServer pid=1) INFO 11-25 10:09:50 [entry.py:140] Starting vLLM server on http://127.0.0.1:8000
"""
# On a GPU and from the hub: put together from the format strings in vLLM's source, not seen run.
VLLM_GPU = """\
(Worker_TP0 pid=3) INFO 11-25 10:09:27 [gpu_model_runner.py:5040] Starting to load model Qwen/Qwen3-Coder-Next...
(Worker_TP0 pid=3) INFO 11-25 10:39:27 [weight_utils.py:533] Time spent downloading weights for Qwen/Qwen3-Coder-Next: 1800.000000 seconds
Loading safetensors checkpoint shards:  25% Completed | 10/40 [00:10<00:30,  1.00it/s]
(Worker_TP0 pid=3) INFO 11-25 10:40:27 [gpu_model_runner.py:5150] Model loading took 39.7 GiB memory and 60.000000 seconds
(Worker_TP0 pid=3) INFO 11-25 10:40:30 [monitor.py:40] Starting torch.compile
(Worker_TP0 pid=3) INFO 11-25 10:41:30 [backends.py:1167] Dynamo bytecode transform time: 9.10 s
Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):   0%|          | 0/67 [00:00<?, ?it/s]
Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  49%|####9     | 33/67 [00:02<00:02, 15.1it/s]
"""
SGLANG = """\
[2026-11-25 10:09:27 TP0] Load weight begin. avail mem=78.50 GB
Loading safetensors checkpoint shards:  50% Completed | 2/4 [00:04<00:04,  2.00s/it]
[2026-11-25 10:09:40 TP0] Load weight end. elapsed=12.00 s, type=Qwen3NextForCausalLM
[2026-11-25 10:09:41 TP0] Capture target decode CUDA graph begin. backend=full, num_tokens_per_req=1, avail mem=9.53 GB
Capturing batches (bs=64 avail_mem=9.53 GB):  75%|#######5  | 27/36 [00:03<00:01,  8.00it/s]
[2026-11-25 10:09:50] The server is fired up and ready to roll!
"""
DOCKER = """\
Unable to find image 'vllm/vllm-openai:latest' locally
latest: Pulling from vllm/vllm-openai
d9d352c11bbd: Pull complete
"""


def course(log: str) -> list[tuple[str, float | None]]:
    told = [Progress()]
    for line in log.splitlines():
        now = told[-1].after(line)
        if now != told[-1]:
            told.append(now)
    return [(step.phase, step.share) for step in told[1:]]


def test_vllm_on_cpu_loads_and_warms_up() -> None:
    assert course(VLLM_CPU) == [("load", None), ("load", 0.0), ("load", 1.0), ("warm-up", None)]


def test_vllm_on_a_gpu_goes_through_every_phase() -> None:
    assert course(VLLM_GPU) == [
        ("download", None),
        ("load", None),
        ("load", 0.25),
        ("compile", None),
        ("warm-up", 0.0),
        ("warm-up", 0.49),
    ]


def test_sglang_loads_and_captures() -> None:
    assert course(SGLANG) == [
        ("load", None),
        ("load", 0.5),
        ("warm-up", None),
        ("warm-up", 0.75),
    ]


def test_an_image_that_is_pulled_first_is_a_download() -> None:
    assert course(DOCKER) == [("download", None)]


def test_compilation_on_cpu_is_one() -> None:
    line = "(Worker pid=3) INFO 11-25 10:09:43 [cpu_model_runner.py:87] Warming up model for the compilation..."
    assert Progress("load", 1.0).after(line) == Progress("compile")


@pytest.mark.parametrize(
    "line",
    [
        "Fetching 41 files:  10%|#         | 4/41 [00:10<01:30,  2.4s/it]",
        "Downloading bytes:  10%|#         | 12.1G/121G [00:10<01:30,  1.2GB/s]",
    ],
)
def test_a_bar_of_the_hub_tells_the_share_of_a_download(line: str) -> None:
    assert Progress().after(line) == Progress("download", 0.1)


def test_words_between_two_bars_do_not_take_the_share_away() -> None:
    line = "(Worker_TP1 pid=4) INFO [gpu_model_runner.py:5040] Starting to load model /w/m..."
    assert Progress("load", 0.5).after(line) == Progress("load", 0.5)


def test_a_worker_that_is_behind_does_not_turn_the_start_back() -> None:
    bar = "Loading safetensors checkpoint shards:  25% Completed | 10/40 [00:10<00:30,  1.00it/s]"
    assert Progress("compile").after(bar) == Progress("compile")

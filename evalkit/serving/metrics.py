"""What an engine tells of itself at `/metrics`."""

import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import isfinite

from evalkit.errors import EngineError
from evalkit.serving.fetch import get
from evalkit.types import EngineSample, Replica

_INFO = "info"

_VLLM = {
    "vllm:prompt_tokens_total": "prompt_tokens",
    "vllm:prompt_tokens_cached_total": "cached_tokens",
    "vllm:generation_tokens_total": "generation_tokens",
    "vllm:iteration_tokens_total_count": "steps",  # of a histogram: once a step that made a token
    "vllm:num_preemptions_total": "preemptions",
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:kv_cache_usage_perc": "kv_usage",  # a share from 0 to 1, whatever its name says
    "vllm:cache_config_info": _INFO,  # tells in its labels; its value is always 1
}
"""Of vLLM 0.32, `v1/metrics/loggers.py`. While it works off one long prompt, only kv_usage moves:
tokens and steps count once a token is made. Every replica's `cache_config_info` has its own
kv_cache_size_tokens, but in num_gpu_blocks the sum of them all (`v1/engine/core_client.py`).
"""

_SGLANG = {
    "sglang:prompt_tokens_total": "prompt_tokens",
    "sglang:cached_tokens_total": "cached_tokens",
    "sglang:generation_tokens_total": "generation_tokens",
    "sglang:cuda_graph_passes_total": "steps",  # every forward pass, with a CUDA graph or without
    "sglang:num_retracted_requests_total": "preemptions",
    "sglang:num_running_reqs": "running",
    "sglang:num_queue_reqs": "waiting",
    "sglang:token_usage": "kv_usage",
    "sglang:max_total_num_tokens": "capacity_tokens",
}
"""Of SGLang 0.5.23, `srt/observability/metrics_collector.py`. Its tokens count once their request
is at its end; steps count as they are made.
"""

_FIELDS = _VLLM | _SGLANG
_COUNTERS = ("prompt_tokens", "cached_tokens", "generation_tokens", "steps", "preemptions")
_RANKS = ("engine", "dp_rank")
"""The label of vLLM and of SGLang that names a data-parallel replica; absent where there is one."""

# Anchored and by name, so that the many lines of histograms are passed over at once.
_SERIES = re.compile(
    rf"^({'|'.join(map(re.escape, _FIELDS))})(?:\{{(.*)\}})?[ \t]+(\S+)", re.MULTILINE
)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def scrape(url: str) -> EngineSample:
    """Read `/metrics` of the engine whose base URL (with its /v1) is `url`.

    Raises EngineError where it cannot be read or holds no counter that is known.
    """
    address = url.removesuffix("/v1") + "/metrics"
    try:
        return parse(get(address, timeout_s=5).decode(), t=time.time())
    except (OSError, ValueError) as error:
        raise EngineError(f"{address} cannot be read: {error}") from error


def parse(text: str, *, t: float) -> EngineSample:
    """Pick what is known out of Prometheus' text form, of which an engine has hundreds of lines.

    Counters add up over their labels. A gauge is one replica's; where several processes of one
    replica report (stages of SGLang's pipelines do), it is their highest value.
    Raises ValueError where nothing is known or a number is none.
    """
    counters = dict.fromkeys(_COUNTERS, 0)
    replicas: defaultdict[int, dict[str, float]] = defaultdict(dict)
    blocks = 0
    found = _SERIES.findall(text)
    if not found:
        raise ValueError("none of the counters of vLLM or SGLang is in it")
    for name, inside, number in found:
        field, value = _FIELDS[name], _number(number)
        if field in counters:
            counters[field] += int(value)
            continue
        labels = dict(_LABEL.findall(inside))
        if field == _INFO:
            blocks = max(blocks, _count(labels, "num_gpu_blocks") * _count(labels, "block_size"))
            field, value = "capacity_tokens", _count(labels, "kv_cache_size_tokens")
        rank = int(next((labels[label] for label in _RANKS if label in labels), 0))
        replicas[rank][field] = max(replicas[rank].get(field, 0.0), value)
    return _sample(t, counters, [replicas[rank] for rank in sorted(replicas)], blocks)


def _sample(
    t: float, counters: Mapping[str, int], gauges: Sequence[Mapping[str, float]], blocks: int
) -> EngineSample:
    replicas = tuple(
        Replica(
            running=int(gauge.get("running", 0)),
            waiting=int(gauge.get("waiting", 0)),
            kv_usage=gauge.get("kv_usage", 0.0),
        )
        for gauge in gauges
    )
    told = sum(int(gauge.get("capacity_tokens", 0)) for gauge in gauges)
    return EngineSample(
        t=t,
        running=sum(replica.running for replica in replicas),
        waiting=sum(replica.waiting for replica in replicas),
        kv_usage=max((replica.kv_usage for replica in replicas), default=0.0),
        capacity_tokens=told or blocks,
        replicas=replicas,
        **counters,
    )


def _number(text: str) -> float:
    value = float(text)
    if not isfinite(value) or value < 0:
        raise ValueError(f"{text} is no count and no share")
    return value


def _count(labels: Mapping[str, str], name: str) -> int:
    """Read a label that is a number, or Python's None where the engine does not know it."""
    text = labels.get(name, "")
    return int(text) if text.isdecimal() else 0

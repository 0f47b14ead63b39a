"""vLLM's own counters, sampled over a run."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from evalkit.errors import EngineError
from evalkit.serving.fetch import get
from evalkit.types import EngineSample

_SUMMED = {
    "vllm:prompt_tokens_total": "prompt_tokens",
    "vllm:generation_tokens_total": "generation_tokens",
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
}
_KV_USAGE = "vllm:kv_cache_usage_perc"  # a share from 0 to 1, whatever its name says


def scrape(url: str) -> EngineSample:
    """Read `/metrics` of the engine whose base URL (with its /v1) is `url`.

    Raises EngineError where it cannot be read or holds none of vLLM's counters.
    """
    address = url.removesuffix("/v1") + "/metrics"
    try:
        return parse(get(address, timeout_s=5).decode(), t=time.time())
    except (OSError, ValueError) as error:
        raise EngineError(f"{address} cannot be read: {error}") from error


def parse(text: str, *, t: float) -> EngineSample:
    """Pick the few counters out of Prometheus' text form; ValueError where there are none."""
    sums: dict[str, float] = {}
    usage = 0.0
    for line in text.splitlines():
        series, _, value = line.rpartition(" ")
        name = series.partition("{")[0]
        if name in _SUMMED:
            sums[_SUMMED[name]] = sums.get(_SUMMED[name], 0.0) + float(value)
        elif name == _KV_USAGE:
            usage = max(usage, float(value))
    if not sums:
        raise ValueError("none of vLLM's counters is in it")
    counts = {name: int(value) for name, value in sums.items()}
    return EngineSample.model_validate({"t": t, "kv_usage": usage, **counts})


class Sampler:
    """Hands a sample to `write` every `every_s` seconds while its `with` block runs.

    An engine that could not be read leaves a gap, told to `missed` with the reason.
    """

    def __init__(
        self,
        url: str,
        write: Callable[[EngineSample], None],
        missed: Callable[[str], None],
        every_s: float = 2.0,
    ) -> None:
        self._url, self._write, self._missed, self._every_s = url, write, missed, every_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="engine-metrics", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _loop(self) -> None:
        while True:
            try:
                self._write(scrape(self._url))
            except EngineError as error:
                self._missed(error.message)
            if self._done.wait(self._every_s):
                return

"""Opens an engine as often as it has to be: the same address each time."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from pydantic import JsonValue

from evalkit.config.engine import EngineConfig
from evalkit.errors import ConfigError, EngineError
from evalkit.serving.endpoint import Endpoint, check_model, probe, version
from evalkit.serving.interpreter import engine_python
from evalkit.serving.launch import HOST, Launch
from evalkit.serving.machine import this_machine
from evalkit.serving.meter import Meter
from evalkit.serving.server import VllmServer
from evalkit.serving.shorten import shorter
from evalkit.serving.supervisor import Opened
from evalkit.serving.vllm import launch
from evalkit.serving.weights import ensure_weights

_PROBE_S = 60.0
_ATTACH_PAUSE_S = 5.0


@dataclass(kw_only=True)
class Engines:
    """What every incarnation of one engine has in common."""

    config: EngineConfig
    """As it is served: its max_model_len goes down where memory does not do."""
    total_params_b: float | None
    cache: Path
    log: Path
    environ: Mapping[str, str]
    meter: Meter
    tell: Callable[[str, float | None], None]
    """Hears each phase of a start; the last is `ready`, however it ended."""
    say: Callable[[str], None]
    api_key: str
    leaving: Event
    """Set where a start that is under way is to be given up."""

    @contextmanager
    def open(self, number: int) -> Iterator[Opened]:
        """Start incarnation `number`, probe it, and end every process of it with the block.

        Raises EngineError with the end of the log where it does not come up, WeightsError where
        its weights cannot be had.
        """
        if self.config.kind == "endpoint":
            yield self._attach(patient=number > 1)
            return
        with ExitStack() as stack:
            try:
                opened = self._start(stack)
            finally:
                self.tell("ready", None)
            yield opened

    def _start(self, stack: ExitStack) -> Opened:
        deadline = time.monotonic() + self.config.start_timeout_s
        while True:
            plan = self._plan()
            server = stack.enter_context(VllmServer(plan, self.log))
            try:
                server.wait(deadline, self.tell, self.leaving)
                break
            except EngineError as error:
                stack.close()
                self._shorten(error)
        self.tell("first tokens", None)
        self._probe(plan.url, plan.model, max(_PROBE_S, deadline - time.monotonic()))
        return Opened(
            endpoint=Endpoint(...),
            ended=server.ended,
            probe=lambda: self._probe(plan.url, plan.model, self.config.stall_s),
        )

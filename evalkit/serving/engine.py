"""Opens one engine as often as it has to be, at the same address each time."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event

from pydantic import JsonValue

from evalkit.config.engine import EngineConfig
from evalkit.errors import ConfigError, EngineError
from evalkit.serving.endpoint import Endpoint, check_context, look, probe
from evalkit.serving.kinds import Planned, plan
from evalkit.serving.launch import HOST
from evalkit.serving.machine import this_machine
from evalkit.serving.meter import Meter
from evalkit.serving.phases import Tell
from evalkit.serving.server import EngineServer
from evalkit.serving.shorten import check_chosen, shorter
from evalkit.serving.supervisor import Opened

_LEAST_PROBE_S = 60.0
_TRY_AGAIN_S = 5.0
"""Between two looks at an endpoint of somebody else's that is away."""


@dataclass(kw_only=True)
class Engines:
    """What every incarnation of one engine has in common."""

    config: EngineConfig
    """As it is served: changed where memory does not do for its max_model_len."""
    params_b: float | None = None
    """The model's size in billions, where known."""
    cache: Path
    log: Path
    """Takes the engine's output."""
    environ: Mapping[str, str]
    """The environment that the engine gets."""
    meter: Meter
    tell: Tell
    """Hears each phase of a start, at last `ready`, however it ended."""
    say: Callable[[str], None]
    api_key: str = "EMPTY"
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of a container that it runs in: whose it is."""
    leaving: Event = field(default_factory=Event)
    """Set where a start that is under way is to be given up."""
    facts: dict[str, JsonValue] = field(default_factory=dict)
    """What run.json keeps of the incarnation opened last."""
    _port: int = 0

    @contextmanager
    def open(self, number: int) -> Iterator[Opened]:
        """Start incarnation `number`, probe it, and end every process of it with the block.

        An endpoint of somebody else's is probed, and waited for where it has answered before.
        Raises EngineError with the end of the log where it does not come up, and as `fit` does;
        WeightsError where its weights cannot be had.
        """
        with ExitStack() as stack:
            try:
                if self.config.kind == "endpoint":
                    opened = self._attach(patient=number > 1)
                else:
                    opened = self._start(stack)
            finally:
                self.tell("ready", None)
            yield opened

    def _attach(self, *, patient: bool) -> Opened:
        if not self.config.url:
            raise ConfigError(
                "engine.kind is endpoint, but engine.url is missing", hint="--endpoint URL"
            )
        url, wait_s = self.config.url.rstrip("/"), self.config.start_timeout_s
        deadline = time.monotonic() + wait_s
        while True:
            try:
                endpoint = look(url, self.config.model, api_key=self.api_key)
                break
            except EngineError:
                if not patient or time.monotonic() > deadline or self.leaving.wait(_TRY_AGAIN_S):
                    raise
        check_context(endpoint, self.config.max_model_len)
        return self._probed(endpoint, wait_s, lambda: None, gpus=0)

    def _start(self, stack: ExitStack) -> Opened:
        deadline = time.monotonic() + self.config.start_timeout_s
        while True:
            launch, gpus = self._plan()
            server = stack.enter_context(EngineServer(launch, self.log))
            try:
                server.wait(deadline, self.tell, self.leaving)
                break
            except EngineError:
                stack.close()
                config = shorter(self.config, server.written())
                if config is None:
                    raise
                self.say(f"engine: too little memory for {self.config.max_model_len:,} tokens")
                self.config = config
        self.tell("first tokens", None)
        endpoint = look(launch.url, launch.model, api_key=self.api_key)
        check_chosen(self.config, endpoint.max_model_len)
        endpoint = replace(endpoint, argv=launch.argv, pid=server.pid)
        left_s = max(_LEAST_PROBE_S, deadline - time.monotonic())
        return self._probed(endpoint, left_s, server.ended, gpus=gpus)

    def _probed(
        self, endpoint: Endpoint, wait_s: float, ended: Callable[[], str | None], *, gpus: int
    ) -> Opened:
        """Have it answer once, note what is known of it, and say how to have it answer again."""

        def ask(timeout_s: float) -> str:
            with self.meter.request(probe=True) as count:
                answer = probe(
                    endpoint.url,
                    endpoint.model,
                    api_key=self.api_key,
                    timeout_s=timeout_s,
                    stopping=self.leaving,
                )
                count.usage = answer.usage
            return answer.answers_as

        endpoint = replace(endpoint, answers_as=ask(wait_s))
        self.facts = {**asdict(endpoint), "gpus": gpus}

        def ask_again() -> None:
            ask(self.config.stall_s)

        return Opened(endpoint=endpoint, ended=ended, probe=ask_again)

    def _plan(self) -> Planned:
        self._port = self._port or free_port(self.config.port)
        return plan(
            self.config,
            this_machine(self.environ),
            params_b=self.params_b,
            cache=self.cache,
            port=self._port,
            environ=self.environ,
            labels=self.labels,
            say=self.say,
        )


def free_port(wanted: int) -> int:
    """Return a free port, or the one wanted where nobody listens on it. Raises EngineError."""
    with socket.socket() as probe_socket:
        probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe_socket.bind((HOST, wanted))
        except OSError as error:
            raise EngineError(
                f"port {wanted} cannot be used: {error.strerror}",
                hint="--set engine.port=0 takes a free one",
            ) from error
        port: int = probe_socket.getsockname()[1]
        return port

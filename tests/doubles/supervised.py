"""A real engine under its supervisor, without a run folder; what it tells is kept in memory."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from pydantic import JsonValue

from evalkit.cli.wiring import cache_folder, environment
from evalkit.config.engine import EngineConfig
from evalkit.config.runner import Sampling
from evalkit.serving.admission import Gate, Pace
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.engine import Engines
from evalkit.serving.meter import Meter
from evalkit.serving.steady import SteadyChat
from evalkit.serving.supervisor import Supervisor, Watch
from tests.doubles.notes import Notebook


@dataclass(frozen=True, kw_only=True)
class Supervised:
    """The engine, what it works with, and what it told."""

    supervisor: Supervisor
    watch: Watch
    notes: Notebook

    @contextmanager
    def chat(
        self, sampling: Sampling, extra: Mapping[str, JsonValue] | None = None
    ) -> Iterator[SteadyChat]:
        """Open a chat as a run does."""
        endpoint = self.supervisor.endpoint
        chat = OpenAIChat(
            endpoint.url,
            endpoint.model,
            sampling,
            extra=extra,
            meter=self.watch.meter,
            count_as_it_comes=True,
        )
        with closing(chat):
            yield SteadyChat(chat, self.supervisor)


@contextmanager
def supervised(
    config: EngineConfig, folder: Path, *, most: int = 64, expected_context: int = 1000
) -> Iterator[Supervised]:
    """Start it for as long as the block lasts; `most` rollouts are admitted."""
    notes, meter = Notebook(), Meter()
    engines = Engines(
        config=config,
        cache=cache_folder(),
        log=folder / "engine.log",
        environ=environment(),
        meter=meter,
        tell=lambda _phase, _share: None,
        say=print,
    )
    watch = Watch(
        notes=notes,
        gate=Gate(most, Event(), notes.event),
        pace=Pace(most, expected_context),
        meter=meter,
        say=print,
        stall_s=config.stall_s,
        restarts=config.restarts,
        pause_s=0.1,
    )
    with Supervisor(engines.open, watch) as supervisor:
        yield Supervised(supervisor=supervisor, watch=watch, notes=notes)

"""The engine of a run: started, watched, described in the run folder, stopped."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Event

from pydantic import JsonValue

from evalkit.agents.plugin import Served
from evalkit.cli.starting import starting
from evalkit.cli.wiring import api_key, cache_folder, environment, on_terminal, progress, say
from evalkit.config.runner import Runner
from evalkit.sandbox.owner import OWNER, Owner
from evalkit.serving.admission import Gate, Pace
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.endpoint import Endpoint
from evalkit.serving.engine import Engines
from evalkit.serving.meter import Meter
from evalkit.serving.steady import SteadyChat
from evalkit.serving.supervisor import Supervisor, Watch
from evalkit.store import RunFolder
from evalkit.store.lines import as_record
from evalkit.types import EngineSample, Incarnation


@contextmanager
def served_model(runner: Runner, folder: RunFolder, gate: Gate) -> Iterator[Served]:
    """Serve the runner's model for as long as the block lasts, and admit as many as fit."""
    meter, leaving = Meter(), Event()
    engines = Engines(
        config=runner.engine,
        params_b=runner.total_params_b,
        cache=cache_folder(),
        log=folder.path.resolve() / "engine.log",
        environ=environment(),
        meter=meter,
        tell=starting(progress, on_terminal=on_terminal()),
        say=say,
        api_key=api_key(),
        labels={OWNER: Owner.here().label},
        leaving=leaving,
    )
    concurrency = runner.concurrency
    watch = Watch(
        notes=_Notes(folder, engines),
        gate=gate,
        pace=Pace(concurrency.rollouts, concurrency.expected_context),
        meter=meter,
        say=say,
        stall_s=runner.engine.stall_s,
        restarts=runner.engine.restarts,
        leaving=leaving,
    )
    with Supervisor(engines.open, watch, _earlier(folder)) as supervisor:
        endpoint = supervisor.endpoint
        say(f"engine: {endpoint.model} answers at {endpoint.url}")
        chat = _chat(runner, endpoint, supervisor, meter, gate)
        with closing(chat):
            yield Served(
                chat=SteadyChat(chat, supervisor),
                url=endpoint.url,
                name=endpoint.model,
                api_key=api_key(),
            )


def _earlier(folder: RunFolder) -> Sequence[Incarnation]:
    """Return the starts of the engine in earlier sessions of the run."""
    engine = folder.manifest.get("engine")
    pages = engine.get("incarnations") if isinstance(engine, dict) else None
    where = f"{folder.path / 'run.json'}: engine.incarnations"
    return [
        as_record(Incarnation, page, where)
        for page in (pages if isinstance(pages, list) else [])
        if isinstance(page, dict)
    ]


def _chat(
    runner: Runner, endpoint: Endpoint, supervisor: Supervisor, meter: Meter, gate: Gate
) -> OpenAIChat:
    return OpenAIChat(
        endpoint.url,
        endpoint.model,
        runner.sampling,
        api_key=api_key(),
        count_as_it_comes=endpoint.engine in {"vllm", "sglang"},
        stopping=gate.stopping,
        answers_as=endpoint.answers_as or None,
        meter=meter,
        replicas=supervisor.replicas,
    )


@dataclass(frozen=True)
class _Notes:
    """What is told of the engine, into the run folder."""

    folder: RunFolder
    engines: Engines

    def event(self, kind: str, **facts: JsonValue) -> None:
        self.folder.event(kind, **facts)

    def engine_sample(self, sample: EngineSample) -> None:
        self.folder.engine_sample(sample)

    def incarnations(self, all_so_far: Sequence[Incarnation]) -> None:
        pages: list[JsonValue] = [one.model_dump(mode="json") for one in all_so_far]
        self.folder.describe(engine={**self.engines.facts, "incarnations": pages})

"""The engine of a run: started, described in the run folder, sampled, stopped."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event

from pydantic import JsonValue

from evalkit.agents.plugin import Served
from evalkit.cli.wiring import api_key, cache_folder, environment, say
from evalkit.config.runner import Runner
from evalkit.errors import EngineError
from evalkit.sandbox.owner import OWNER, Owner
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.endpoint import Endpoint
from evalkit.serving.engine import serve
from evalkit.serving.metrics import Sampler, scrape
from evalkit.store import RunFolder


@contextmanager
def served_model(runner: Runner, folder: RunFolder, stopping: Event) -> Iterator[Served]:
    """Serve the runner's model for as long as the block lasts."""
    with serve(
        runner.engine,
        cache=cache_folder(),
        log=folder.path.resolve() / "engine.log",
        environ=environment(),
        say=say,
        api_key=api_key(),
        labels={OWNER: Owner.here().label},
    ) as endpoint:
        say(f"engine: {endpoint.model} answers at {endpoint.url}")
        chat = OpenAIChat(
            endpoint.url,
            endpoint.model,
            runner.sampling,
            api_key=api_key(),
            count_as_it_comes=endpoint.engine in {"vllm", "sglang"},
            stopping=stopping,
        )
        with closing(chat), _accounted(endpoint, folder):
            yield Served(chat=chat, url=endpoint.url, name=endpoint.model, api_key=api_key())


@contextmanager
def _accounted(endpoint: Endpoint, folder: RunFolder) -> Iterator[None]:
    """Keep engine.jsonl, and the engine's own token counter before and after the run."""
    facts: dict[str, JsonValue] = {
        "url": endpoint.url,
        "model": endpoint.model,
        "kind": endpoint.engine,
        "version": endpoint.version,
        "max_model_len": endpoint.max_model_len,
        "fingerprint": endpoint.fingerprint,
        "answers_as": endpoint.answers_as,
        "argv": list(endpoint.argv),
    }
    folder.describe(engine=facts)
    try:
        before = scrape(endpoint.url).generation_tokens
    except EngineError as error:
        folder.event("no_metrics", why=error.message)
        yield
        return
    with Sampler(
        endpoint.url, folder.engine_sample, lambda why: folder.event("no_metrics", why=why)
    ):
        yield
    after = scrape(endpoint.url).generation_tokens
    folder.describe(engine=facts | {"counter": {"before": before, "after": after}})

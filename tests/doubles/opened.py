"""One incarnation of an engine, without anything that watches it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from evalkit.config.engine import EngineConfig
from evalkit.serving.endpoint import Endpoint
from evalkit.serving.engine import Engines
from evalkit.serving.meter import Meter


@contextmanager
def open_engine(
    config: EngineConfig,
    *,
    cache: Path,
    log: Path,
    environ: Mapping[str, str],
    meter: Meter | None = None,
    labels: Mapping[str, str] | None = None,
) -> Iterator[Endpoint]:
    engines = Engines(
        config=config,
        cache=cache,
        log=log,
        environ=environ,
        meter=meter or Meter(),
        tell=lambda _phase, _share: None,
        say=lambda _: None,
        labels=labels or {},
    )
    with engines.open(1) as opened:
        yield opened.endpoint

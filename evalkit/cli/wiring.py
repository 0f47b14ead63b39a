"""Picks the concrete parts, from the environment and the flags."""

import os
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path
from rich.console import Console

from evalkit.config.runner import Runner, load_runner
from evalkit.protocols import Suite
from evalkit.sandbox.daemon import connect
from evalkit.sandbox.images import Images
from evalkit.suites.registry import open_suite

if TYPE_CHECKING:
    from docker import APIClient

progress = Console(stderr=True, highlight=False)
"""Where progress goes; results go to stdout."""


def cache_folder() -> Path:
    """Return the folder for images' sources, weights and the engine's environment."""
    given = os.environ.get("EVALKIT_CACHE")  # noqa: TID251 - this is the command line
    return Path(given) if given else user_cache_path("evalkit")


def environment() -> Mapping[str, str]:
    """Return the environment, for the processes that evalkit starts."""
    return dict(os.environ)  # noqa: TID251 - this is the command line


def process_environment() -> MutableMapping[str, str]:
    """Return this process's own environment, for packages that read it as they are imported."""
    return os.environ  # noqa: TID251 - this is the command line


def api_key() -> str:
    """Return the key for --endpoint; it never enters a sandbox or a file."""
    return os.environ.get("EVALKIT_API_KEY", "EMPTY")  # noqa: TID251 - this is the command line


def say(text: str) -> None:
    """Tell one line of progress."""
    progress.print(text, markup=False, soft_wrap=True)


@cache
def docker() -> "APIClient":
    """Connect to the Docker daemon, once. Raises SandboxError where none answers."""
    return connect()


_OF_SUITE = "suite."


def choose_suite(name: str, overrides: Sequence[str] = ()) -> Suite:
    """Open a suite over this machine's images; of `overrides` those that begin with `suite.`."""
    own = [one.removeprefix(_OF_SUITE) for one in overrides if one.startswith(_OF_SUITE)]
    return open_suite(name, own, images=lambda: Images(docker()), say=say, cache=cache_folder())


def choose_runner(
    suite: Suite,
    name: str | None,
    overrides: Sequence[str],
    *,
    endpoint: str | None = None,
    model: str | None = None,
) -> Runner:
    """Load the runner, the suite's own where none is named; flags count as --set."""
    extra = []
    if endpoint is not None:
        extra += ["engine.kind=endpoint", f"engine.url={endpoint}", "engine.gguf=null"]
    if model is not None:
        extra.append(f"engine.model={model}")
    return load_runner(
        name or suite.default_runner,
        [one for one in (*overrides, *extra) if not one.startswith(_OF_SUITE)],
    )


def on_terminal() -> bool:
    """Whether progress can be drawn in place."""
    return sys.stderr.isatty()

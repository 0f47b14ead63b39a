"""What decides how attempts of a run come out: a run is gone on with under the same alone."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

DECISIVE = (
    "grading",
    "suite",
    "revision",
    "agent",
    "runner",
    "facts",
    "repair_newline",
)
"""Keys of run.json, whole or by their sections.

`model` is not one: it is told by the others, and an agent may say it better (replay does).
"""
EXTENT = ("selected", "attempts")
"""How many attempts there are, and of what. They change no attempt, but the score."""
_OPERATION = frozenset(
    (
        "runner.price_per_gpu_hour",
        "runner.concurrency",
        "runner.images",
        "runner.engine.url",
        "runner.engine.port",
        "runner.engine.python",
        "runner.engine.start_timeout_s",
        "runner.engine.stall_s",
        "runner.engine.restarts",
    )
)
"""How a run is carried out, not what it measures: free to change."""


def differences(
    then: Mapping[str, JsonValue], now: Mapping[str, JsonValue], keys: tuple[str, ...] = DECISIVE
) -> list[str]:
    """Return what differs between two run.json, as `key: old -> new`, in the order of the keys."""
    old, new = dict(_flat(then, keys)), dict(_flat(now, keys))
    return [
        f"{key}: {_shown(old.get(key))} -> {_shown(new.get(key))}"
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    ]


def _flat(
    manifest: Mapping[str, JsonValue], keys: tuple[str, ...]
) -> Iterator[tuple[str, JsonValue]]:
    for key in keys:
        yield from _leaves(key, manifest.get(key))


def _leaves(path: str, value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    if path in _OPERATION:
        return
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", inner)
    else:
        yield path, value


def _shown(value: JsonValue) -> str:
    if isinstance(value, list):
        return f"{len(value)} of them"
    return str(value)

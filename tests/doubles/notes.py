"""A run folder's part that hears of the engine, kept in memory."""

from collections.abc import Sequence

from pydantic import JsonValue

from evalkit.types import EngineSample, Incarnation


class Notebook:
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, JsonValue]]] = []
        self.samples: list[EngineSample] = []
        self.pages: tuple[Incarnation, ...] = ()

    def event(self, kind: str, **facts: JsonValue) -> None:
        self.events.append((kind, facts))

    def engine_sample(self, sample: EngineSample) -> None:
        self.samples.append(sample)

    def incarnations(self, all_so_far: Sequence[Incarnation]) -> None:
        self.pages = tuple(all_so_far)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]

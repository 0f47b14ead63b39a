"""What a run rests on is looked at, and its absence told once."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from evalkit.campaign import Boundaries
from evalkit.errors import StoreError
from evalkit.serving.admission import Gate


class Switch:
    """A boundary that is there or not."""

    def __init__(self, why: str | None = None) -> None:
        self.why = why

    def __call__(self) -> str | None:
        return self.why


@pytest.fixture
def notes() -> list[tuple[str, object]]:
    return []


@pytest.fixture
def gate(notes: list[tuple[str, object]]) -> Gate:
    return Gate(1, Event(), lambda kind, **facts: notes.append((kind, facts.get("why"))))


def test_an_absence_is_told_once(gate: Gate, notes: list[tuple[str, object]]) -> None:
    boundaries = Boundaries({"disk": Switch("full")}, gate, gate.stopping, every_s=0)
    gate.stopping.set()
    boundaries.await_all()
    boundaries.await_all()
    assert notes == [("paused", "full")]


def test_a_return_is_told(gate: Gate, notes: list[tuple[str, object]]) -> None:
    disk = Switch("full")
    boundaries = Boundaries({"disk": disk}, gate, Event(), every_s=0.01)
    with boundaries:
        disk.why = None
        boundaries.await_all()
    assert notes == [("paused", "full"), ("resumed", None)]


def test_while_all_are_there_nobody_waits(gate: Gate) -> None:
    assert not Boundaries({"disk": Switch()}, gate, Event(), every_s=0).await_all()


def test_the_wait_ends_with_the_run(gate: Gate) -> None:
    gate.stopping.set()
    assert Boundaries({"disk": Switch("full")}, gate, gate.stopping, every_s=0).await_all()


def test_what_is_lost_between_two_looks_is_seen_by_itself(gate: Gate) -> None:
    disk, seen = Switch(), Event()
    gate = Gate(1, Event(), lambda *_, **__: seen.set())
    with Boundaries({"disk": disk}, gate, Event(), every_s=0.01):
        disk.why = "full"
        assert seen.wait(5)


def test_what_was_lost_just_now_is_seen_by_who_asks(gate: Gate) -> None:
    disk = Switch()
    gate.stopping.set()
    with Boundaries({"disk": disk}, gate, gate.stopping, every_s=3600) as boundaries:
        disk.why = "full"
        assert boundaries.await_all()


def test_one_look_serves_all_who_waited_for_it() -> None:
    looks: list[float] = []

    def check() -> None:
        looks.append(time.monotonic())
        time.sleep(0.2)

    boundaries = Boundaries({"disk": check}, Gate(1, Event(), print), Event(), every_s=3600)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: boundaries.await_all(), range(8)))
    assert len(looks) <= 2


def test_a_watch_whose_notes_cannot_be_written_ends_quietly() -> None:
    disk, tried = Switch(), Event()

    def refuse(*_: object, **__: object) -> None:
        tried.set()
        raise StoreError("read-only")

    with Boundaries({"disk": disk}, Gate(1, Event(), refuse), Event(), every_s=0.01):
        disk.why = "full"
        assert tried.wait(5)

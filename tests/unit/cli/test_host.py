"""Waiting for room on the run folder's disk."""

from threading import Event

import pytest

from evalkit.cli.host import AwaitRoom
from evalkit.errors import StoreError


def test_a_disk_that_is_full_for_many_files_is_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stopping = Event()
    stopping.set()  # so that nobody waits here
    await_room = AwaitRoom(stopping)
    for number in range(9):
        await_room(StoreError(f"cannot write {number % 3}: no room"))
    assert capsys.readouterr().err.count("waiting for room") == 1


def test_nobody_waits_for_room_while_the_run_is_being_stopped() -> None:
    stopping = Event()
    stopping.set()
    assert not AwaitRoom(stopping)(StoreError("no room"))

"""What a signal does to a run, by the process's own signals."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from evalkit.cli.signals import Stopper, stoppable
from evalkit.errors import StoreError


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """pytest-xdist lets its workers ignore SIGINT, nohup SIGHUP."""
    interrupted = signal.signal(signal.SIGINT, signal.default_int_handler)
    hung_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGHUP, hung_up)


def sends(number: signal.Signals, *, drains: bool = False) -> Callable[[Stopper], int]:
    def work(stopper: Stopper) -> int:
        if not drains:
            os.kill(os.getpid(), number)
            return 0
        with stopper.draining():
            os.kill(os.getpid(), number)
        return 7

    return work


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_where_nothing_drains_the_first_signal_ends_the_work(
    number: signal.Signals, code: int
) -> None:
    assert stoppable(sends(number), lambda: "stopped") == code


def test_while_a_run_drains_the_first_signal_only_tells_it_to_stop() -> None:
    stopper = Stopper()
    with stopper.listening(), stopper.draining():
        os.kill(os.getpid(), signal.SIGTERM)
    assert (stopper.stopping.is_set(), stopper.signal) == (True, signal.SIGTERM)


def test_the_second_signal_ends_what_drains() -> None:
    stopper = Stopper()
    with stopper.listening(), stopper.draining():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)


def test_after_the_drain_it_is_the_signals_code() -> None:
    def work(stopper: Stopper) -> int:
        sends(signal.SIGTERM, drains=True)(stopper)
        raise KeyboardInterrupt

    assert stoppable(work, lambda: "stopped") == 143


def test_a_store_that_fails_on_the_way_out_does_not_change_the_code() -> None:
    def work(stopper: Stopper) -> int:
        sends(signal.SIGTERM, drains=True)(stopper)
        raise StoreError("no room")

    assert stoppable(work, lambda: "stopped") == 143


def test_without_a_signal_an_error_is_an_error() -> None:
    def work(_: Stopper) -> int:
        raise StoreError("no room")

    with pytest.raises(StoreError):
        stoppable(work, lambda: "stopped")


def test_a_signal_that_nobody_listens_to_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert stoppable(sends(signal.SIGHUP), lambda: "stopped") == 0
    finally:
        signal.signal(signal.SIGHUP, before)

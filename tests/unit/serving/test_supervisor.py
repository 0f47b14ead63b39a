import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event

import pytest

from evalkit.errors import EngineError, EngineGoneError, StoreError
from evalkit.serving.admission import Gate, Pace
from evalkit.serving.endpoint import Endpoint
from evalkit.serving.meter import Meter
from evalkit.serving.scripted import Scripted, scripted_server
from evalkit.serving.supervisor import Opened, Supervisor, Watch
from evalkit.types import EngineSample, Incarnation, Usage
from tests.doubles.notes import Notebook

_SOON_S = 10.0


class Fake(Notebook):
    """An engine of scripted servers, and the run folder that hears of it."""

    def __init__(self, *, fails: Sequence[int] = (), ours: bool = True) -> None:
        super().__init__()
        self.ended: dict[int, str] = {}
        self.probe_error = ""
        self.open_now: list[int] = []
        self._fails, self._ours = fails, ours
        self._starts = 0

    @contextmanager
    def open(self, number: int) -> Iterator[Opened]:
        self._starts += 1
        if self._starts in self._fails:
            raise EngineError("no memory")
        with scripted_server([Scripted()] * 10) as url:
            self.open_now.append(number)
            try:
                yield Opened(
                    endpoint=Endpoint(url=url, model="m", argv=("vllm",) if self._ours else ()),
                    ended=lambda: self.ended.get(number),
                    probe=self._probe,
                )
            finally:
                self.open_now.remove(number)

    def _probe(self) -> None:
        if self.probe_error:
            raise EngineError(self.probe_error)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def supervise(
    stack: ExitStack, fake: Fake, *, stall_s: float = 60, restarts: int = 2
) -> tuple[Supervisor, Watch]:
    watch = Watch(
        notes=fake,
        gate=Gate(4, Event(), fake.event),
        pace=Pace(4, 1000),
        meter=Meter(),
        say=lambda _: None,
        stall_s=stall_s,
        restarts=restarts,
        every_s=0.02,
        pause_s=0.01,
    )
    return stack.enter_context(Supervisor(fake.open, watch)), watch


def soon(true: Callable[[], object]) -> bool:
    end = time.monotonic() + _SOON_S
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_an_engine_that_died_is_started_again(stack: ExitStack) -> None:
    fake = Fake()
    supervise(stack, fake)
    fake.ended[1] = "exit 1"
    assert soon(lambda: fake.open_now == [2])


def test_the_end_of_the_block_ends_the_engine() -> None:
    fake = Fake()
    with ExitStack() as stack:
        supervise(stack, fake)
    assert fake.open_now == []


def test_whoever_asks_meanwhile_waits_for_the_next_incarnation(stack: ExitStack) -> None:
    fake = Fake()
    supervisor, _ = supervise(stack, fake)
    fake.ended[1] = "exit 1"
    soon(lambda: "paused" in fake.kinds())
    assert supervisor.ready() == 2


def test_an_incarnation_that_died_is_lost(stack: ExitStack) -> None:
    fake = Fake()
    supervisor, _ = supervise(stack, fake)
    fake.ended[1] = "exit 1"
    assert supervisor.lost(1)


def test_an_incarnation_that_answers_a_probe_is_not_lost(stack: ExitStack) -> None:
    supervisor, _ = supervise(stack, Fake())
    assert not supervisor.lost(1)


@pytest.mark.row("F7")
def test_an_incarnation_that_answers_no_probe_is_lost(stack: ExitStack) -> None:
    fake = Fake()
    supervisor, _ = supervise(stack, fake)
    fake.probe_error = "nothing came"
    assert supervisor.lost(1)


@pytest.mark.row("F7")
def test_an_engine_that_makes_no_step_though_it_has_work_is_started_again(stack: ExitStack) -> None:
    fake = Fake()
    _, watch = supervise(stack, fake, stall_s=0.3)
    with watch.meter.request():
        assert soon(lambda: fake.open_now == [2])


def test_looks_are_kept_while_it_runs(stack: ExitStack) -> None:
    fake = Fake()
    supervise(stack, fake)
    assert soon(lambda: len(fake.samples) >= 3)


def test_looks_say_which_incarnation_they_are_of(stack: ExitStack) -> None:
    fake = Fake()
    supervise(stack, fake)
    fake.ended[1] = "exit 1"
    assert soon(lambda: fake.samples[-1].incarnation == 2)


def test_somebody_elses_engine_is_not_blamed_for_silence(stack: ExitStack) -> None:
    fake = Fake(ours=False)
    _, watch = supervise(stack, fake, stall_s=0.1)
    with watch.meter.request():
        time.sleep(0.5)
    assert fake.open_now == [1]


def test_an_idle_engine_is_probed_after_a_while(stack: ExitStack) -> None:
    fake = Fake()
    supervise(stack, fake, stall_s=0.2)
    fake.probe_error = "nothing came"
    assert soon(lambda: fake.open_now == [2])


@pytest.mark.row("F7")
def test_no_rollout_starts_while_the_engine_is_away(stack: ExitStack) -> None:
    fake = Fake(fails=[2, 3])
    supervise(stack, fake, restarts=3)
    fake.ended[1] = "exit 1"
    soon(lambda: "resumed" in fake.kinds())
    assert fake.kinds().index("paused") < fake.kinds().index("resumed")


def test_a_start_that_failed_is_tried_again(stack: ExitStack) -> None:
    fake = Fake(fails=[2])
    supervise(stack, fake)
    fake.ended[1] = "exit 1"
    assert soon(lambda: fake.open_now == [2])


def test_after_too_many_the_engine_is_gone(stack: ExitStack) -> None:
    fake = Fake(fails=[2, 3])
    supervisor, _ = supervise(stack, fake)
    fake.ended[1] = "exit 1"
    with pytest.raises(EngineGoneError, match="2 starts in a row did not help; at last: no memory"):
        soon(lambda: supervisor.ready() == 2)


def test_a_gone_engine_turns_away_who_waits_for_a_place(stack: ExitStack) -> None:
    fake = Fake(fails=[2, 3])
    _, watch = supervise(stack, fake)
    fake.ended[1] = "exit 1"
    soon(lambda: "paused" in fake.kinds())
    with pytest.raises(EngineGoneError), watch.gate.slot():
        pass


def test_a_first_start_that_fails_is_the_callers() -> None:
    with ExitStack() as stack, pytest.raises(EngineError, match="no memory"):
        supervise(stack, Fake(fails=[1]))


def test_a_start_that_cannot_be_written_down_leaves_no_engine() -> None:
    class Full(Fake):
        def incarnations(self, all_so_far: Sequence[Incarnation]) -> None:
            raise StoreError("disk full")

    fake = Full()
    with ExitStack() as stack, pytest.raises(StoreError, match="disk full"):
        supervise(stack, fake)
    assert fake.open_now == []


def test_an_end_that_cannot_be_written_down_leaves_no_engine() -> None:
    class Full(Fake):
        full = False

        def incarnations(self, all_so_far: Sequence[Incarnation]) -> None:
            if self.full:
                raise StoreError("disk full")

    fake, stack = Full(), ExitStack()
    supervise(stack, fake)
    fake.full = True
    with pytest.raises(StoreError, match="disk full"):
        stack.close()
    assert fake.open_now == []


def test_what_broke_off_with_the_last_engine_is_booked_too() -> None:
    fake = Fake(fails=[2, 3])
    with ExitStack() as stack:
        _, watch = supervise(stack, fake)
        with watch.meter.request() as count:
            count.usage = Usage(completion_tokens=7)
            fake.ended[1] = "exit 1"
            soon(lambda: _closed(watch.gate))
    assert fake.pages[0].received.repeated.completion_tokens == 7


def test_each_incarnation_has_its_page(stack: ExitStack) -> None:
    fake = Fake()
    supervise(stack, fake)
    fake.ended[1] = "exit 1"
    soon(lambda: fake.open_now == [2])
    assert [(page.number, page.why) for page in fake.pages] == [
        (1, "it ended by itself (exit 1)"),
        (2, ""),
    ]


def test_tokens_of_a_broken_off_answer_are_booked_to_the_incarnation_that_made_them() -> None:
    fake = Fake()
    with ExitStack() as stack:
        _, watch = supervise(stack, fake)
        with watch.meter.request() as count:
            count.usage = Usage(completion_tokens=7)
            fake.ended[1] = "exit 1"
            soon(lambda: fake.open_now == [2])
    assert [page.received.repeated.completion_tokens for page in fake.pages] == [7, 0]


def test_a_run_folder_that_cannot_be_written_ends_the_wait_too(stack: ExitStack) -> None:
    class Full(Fake):
        def engine_sample(self, sample: EngineSample) -> None:
            if threading.current_thread() is not threading.main_thread():
                raise StoreError("disk full")

    supervisor, watch = supervise(stack, Full())
    assert soon(lambda: _closed(watch.gate))
    with pytest.raises(EngineGoneError, match="disk full"):
        supervisor.ready()


def _closed(gate: Gate) -> bool:
    try:
        with gate.slot():
            return False
    except EngineGoneError:
        return True

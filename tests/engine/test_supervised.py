"""Every process of a real engine killed and frozen in the middle of an answer: none is lost."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from threading import Event

import psutil
import pytest

from evalkit.cli.wiring import cache_folder, environment
from evalkit.config.engine import EngineConfig
from evalkit.config.runner import Sampling
from evalkit.serving.admission import Gate, Pace
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.engine import Engines
from evalkit.serving.meter import Meter
from evalkit.serving.steady import SteadyChat
from evalkit.serving.supervisor import Supervisor, Watch
from evalkit.types import Reply
from tests.doubles.notes import Notebook

TOKENS = 600
STALL_S = 15.0

ROLES = {"API server": "vllm.entrypoints", "core": "VLLM::EngineCore", "worker": "VLLM::Worker"}


class Engine:
    """A supervised engine, and its books."""

    def __init__(self, supervisor: Supervisor, watch: Watch, notes: Notebook) -> None:
        self.supervisor, self.watch, self.notes = supervisor, watch, notes

    def ask(self) -> Reply:
        endpoint = self.supervisor.endpoint
        extra = {"min_tokens": TOKENS, "ignore_eos": True}
        chat = OpenAIChat(
            endpoint.url,
            endpoint.model,
            Sampling(max_tokens=TOKENS),
            extra=extra,
            meter=self.watch.meter,
            count_as_it_comes=True,
        )
        with closing(chat):
            steady = SteadyChat(chat, self.supervisor)
            question = {"role": "user", "content": "Count."}
            return steady.chat([question], [], deadline=time.monotonic() + 300)

    def strike(self, role: str, how: signal.Signals) -> None:
        """Send a signal to the engine's process of a role once an answer is on its way."""
        number = self.supervisor.ready()
        before = self.watch.meter.received(number)
        end = time.monotonic() + 120
        while self.watch.meter.received(number) < before + 16 and time.monotonic() < end:
            time.sleep(0.02)
        os.kill(self._pid(role), how)

    def _pid(self, role: str) -> int:
        group = self.supervisor.endpoint.pid
        assert group is not None
        for process in psutil.process_iter():
            if ROLES[role] in " ".join(process.cmdline()) and os.getpgid(process.pid) == group:
                return process.pid
        raise AssertionError(f"no {role} in group {group}")


@pytest.fixture(scope="module")
def engine(tiny_config: EngineConfig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    notes, meter = Notebook(), Meter()
    engines = Engines(
        config=tiny_config,
        cache=cache_folder(),
        log=tmp_path_factory.mktemp("supervised") / "engine.log",
        environ=environment(),
        meter=meter,
        tell=lambda _phase, _share: None,
        say=print,
    )
    watch = Watch(
        notes=notes,
        gate=Gate(4, Event(), notes.event),
        pace=Pace(4, 1000),
        meter=meter,
        say=print,
        stall_s=STALL_S,
        restarts=10,
        pause_s=0.1,
    )
    with Supervisor(engines.open, watch) as supervisor:
        yield Engine(supervisor, watch, notes)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
@pytest.mark.parametrize("role", ROLES)
def test_an_answer_outlives_the_end_of(role: str, how: signal.Signals, engine: Engine) -> None:
    before = engine.supervisor.ready()
    striker = threading.Thread(target=engine.strike, args=(role, how))
    striker.start()
    reply = engine.ask()
    striker.join()
    assert (reply.usage.completion_tokens, reply.incarnation) == (TOKENS, before + 1)


def test_a_frozen_engine_is_found_by_its_silence(engine: Engine) -> None:
    whys = [page.why for page in engine.notes.pages if "made no step" in page.why]
    assert len(whys) == 3


def test_the_counters_agree_with_what_was_received_in_every_incarnation(engine: Engine) -> None:
    """Within the tokens of one interval of the stream, and of the time between two looks."""
    ended = [page for page in engine.notes.pages if page.ended]
    assert all(page.counter.completion_tokens >= page.received_then for page in ended)


def test_old_groups_are_gone_before_the_next_starts(engine: Engine) -> None:
    groups = {os.getpgid(process.pid) for process in psutil.process_iter(["name"])
              if "VLLM::" in (process.info["name"] or "")}  # fmt: skip
    assert groups == {engine.supervisor.endpoint.pid}

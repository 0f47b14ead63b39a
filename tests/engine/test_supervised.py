"""Every process of a real engine killed and frozen in the middle of an answer: none is lost."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest
from pydantic import JsonValue

from evalkit.config.engine import EngineConfig
from evalkit.config.runner import Sampling
from evalkit.types import Reply
from tests.doubles.supervised import Supervised, supervised

pytestmark = pytest.mark.alone

TOKENS = 600
STALL_S = 15.0

ROLES = {"API server": "vllm.entrypoints", "core": "VLLM::EngineCore", "worker": "VLLM::Worker"}
KILLED, FROZEN = signal.SIGKILL, signal.SIGSTOP
STRIKES = (
    ("API server", KILLED),
    ("core", FROZEN),
    ("worker", KILLED),
    # A start of vLLM each: the others are left to `make soak`.
    pytest.param("API server", FROZEN, marks=pytest.mark.soak),
    pytest.param("core", KILLED, marks=pytest.mark.soak),
    pytest.param("worker", FROZEN, marks=pytest.mark.soak),
)


def ask(engine: Supervised) -> Reply:
    extra: dict[str, JsonValue] = {"min_tokens": TOKENS, "ignore_eos": True}
    with engine.chat(Sampling(max_tokens=TOKENS), extra) as chat:
        question = {"role": "user", "content": "Count."}
        return chat.chat([question], [], deadline=time.monotonic() + 300)


def strike(engine: Supervised, role: str, how: signal.Signals) -> None:
    """Send a signal to the engine's process of a role once an answer is on its way."""
    meter = engine.watch.meter
    number = engine.supervisor.ready()
    before = meter.received(number)
    end = time.monotonic() + 120
    while meter.received(number) < before + 16 and time.monotonic() < end:
        time.sleep(0.02)
    os.kill(pid_of(engine, role), how)


def pid_of(engine: Supervised, role: str) -> int:
    group = engine.supervisor.endpoint.pid
    assert group is not None
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if ROLES[role] in " ".join(process.cmdline()) and os.getpgid(process.pid) == group:
                return process.pid
    raise AssertionError(f"no {role} in group {group}")


@pytest.fixture(scope="module")
def engine(
    tiny_config: EngineConfig, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Supervised]:
    config = tiny_config.model_copy(update={"stall_s": STALL_S, "restarts": 10})
    with supervised(config, tmp_path_factory.mktemp("supervised")) as opened:
        yield opened


@pytest.fixture(scope="module")
def struck() -> dict[int, signal.Signals]:
    """By process group, how the engine's starts came to their end."""
    return {}


@pytest.mark.parametrize(("role", "how"), STRIKES, ids=lambda what: getattr(what, "name", what))
def test_an_answer_outlives_the_end_of(
    role: str, how: signal.Signals, engine: Supervised, struck: dict[int, signal.Signals]
) -> None:
    before = engine.supervisor.ready()
    struck[engine.supervisor.endpoint.pid or 0] = how
    striker = threading.Thread(target=strike, args=(engine, role, how))
    striker.start()
    reply = ask(engine)
    striker.join()
    assert (reply.usage.completion_tokens, reply.incarnation) == (TOKENS, before + 1)


@pytest.mark.row("F7")
def test_a_frozen_engine_is_found_by_its_silence(
    engine: Supervised, struck: dict[int, signal.Signals]
) -> None:
    whys = [page.why for page in engine.notes.pages if "made no step" in page.why]
    assert len(whys) == list(struck.values()).count(FROZEN) > 0


def test_no_engine_counted_fewer_tokens_than_came(engine: Supervised) -> None:
    ended = [page for page in engine.notes.pages if page.ended]
    assert all(page.counter.completion_tokens >= page.received_then for page in ended)


def test_what_broke_off_is_booked_apart(engine: Supervised) -> None:
    ended = [page for page in engine.notes.pages if page.ended]
    assert all(page.received.repeated.completion_tokens >= 16 for page in ended)


def test_no_process_of_an_earlier_start_is_left(
    engine: Supervised,
    struck: dict[int, signal.Signals],
    processes: Callable[[int], list[str]],
) -> None:
    assert len(struck) == len(engine.notes.pages) - 1
    assert [line for group in struck for line in processes(group)] == []

"""The parts of `make bench` that need no container."""

import json
import threading
import time
from contextlib import closing

import pytest

from evalkit.config.runner import Sampling
from evalkit.serving.chat import OpenAIChat
from evalkit.types import Reply
from tests.benchmarks.phases import Outcome, Phases, compete
from tests.benchmarks.report import spread, targets
from tests.benchmarks.server import bench_server
from tests.benchmarks.workload import ARGUMENTS, CHUNK, MODEL, TEXT, TOKENS, token_chunks


@pytest.fixture(scope="module")
def replies() -> list[Reply]:
    """Two turns, of which the second goes over the connection of the first."""
    with bench_server() as url, closing(OpenAIChat(url, MODEL, Sampling())) as chat:
        asked = [{"role": "user", "content": "x" * 100_000}]
        return [chat.chat(asked, [], deadline=time.monotonic() + 30) for _ in range(2)]


def test_the_server_speaks_the_protocol(replies: list[Reply]) -> None:
    seen = [(one.text, one.tool_calls[0].arguments, one.finish_reason) for one in replies]
    assert seen == [(TEXT, ARGUMENTS, "tool_calls")] * 2


def test_an_answer_has_as_many_tokens_as_it_says(replies: list[Reply]) -> None:
    assert replies[0].usage.completion_tokens == TOKENS


def test_its_chunks_are_of_eight_tokens() -> None:
    assert token_chunks() == -(-TOKENS // CHUNK)


def outcome(name: str, workers: int, loop_s: float, peak_mib: float = 100) -> Outcome:
    return Outcome(name=name, workers=workers, turns=1000, start_s=1, loop_s=loop_s, patch_s=1, end_s=1,
                   start_cpu_s=0, loop_cpu_s=2, patch_cpu_s=0, end_cpu_s=0, children_cpu_s=0, peak_mib=peak_mib,
                   left=0)  # fmt: skip


def test_a_target_is_met_or_missed_by_what_was_seen() -> None:
    lines = targets([outcome("evalkit", 16, 5), outcome("bare loop", 16, 3)])
    assert "missed  turns/s at 16 / bare loop: 0.71, at least 0.80" in lines


def test_memory_is_told_for_each_further_rollout() -> None:
    lines = targets([outcome("evalkit", 16, 5), outcome("evalkit", 64, 5, peak_mib=148)])
    assert lines[-1] == "met     MiB per further rollout: 1.00, at most 2.00"


def test_several_rounds_show_their_spread() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.0 (1.0..3.0)"


def test_one_that_fails_lets_nobody_wait(capsys: pytest.CaptureFixture[str]) -> None:
    def work(number: int, phases: Phases) -> None:
        if number == 2:
            raise RuntimeError("no container")
        phases.ready()

    compete("evalkit", 3, 1, work)
    assert "no container" in json.loads(capsys.readouterr().out)["error"]


def test_the_loop_is_timed_from_the_last_start_to_the_last_turn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    late = threading.Event()

    def work(number: int, phases: Phases) -> None:
        late.wait(0.2 if number == 1 else 0)
        phases.ready()
        late.wait(0.1)
        phases.looped()
        phases.patched()

    compete("evalkit", 2, 1, work)
    seen = json.loads(capsys.readouterr().out)
    assert seen["start_s"] >= 0.2 > seen["loop_s"] >= 0.1

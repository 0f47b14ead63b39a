"""Output tokens a second on a real engine: evalkit against a closed loop of the same requests.

Pairs: evalkit lets rollouts run whose tools answer at once, then bare threads send the very requests
that it sent, each to make as many tokens as it did. A new word in the first message of every side
keeps the prefix cache from helping the second. The engine is quickstart's. At last the same rollouts
once in real sandboxes, their patches graded beside: shown, and no target.
"""

import argparse
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Event

import psutil
from rich.console import Console

from evalkit.agents.prompt import Prompt
from evalkit.agents.tools import ToolAgent
from evalkit.cli.execute import execute
from evalkit.cli.settled import Run
from evalkit.cli.signals import Stopper
from evalkit.cli.wiring import choose_suite
from evalkit.config.runner import RolloutLimits, Runner, load_runner
from evalkit.protocols import ChatModel
from evalkit.serving.admission import Gate
from evalkit.serving.supervisor import Supervisor
from evalkit.store import RunFolder
from tests.benchmarks.closed_loop import replay
from tests.benchmarks.recording import Asked, Recording
from tests.doubles.instant import run_at_once
from tests.doubles.supervised import supervised
from tests.doubles.tasks import make_task

TARGET = 0.95
CPU_TARGET = 0.05


@dataclass
class Side:
    """Tokens a second of one side, pair by pair; CPU seconds of our process and the engine's."""

    rates: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    engine_cpu_s: float = 0.0


def main() -> int:
    """Measure, print; 1 where a target was missed."""
    asked = _arguments()
    console = Console(highlight=False, width=120)
    console.print(f"{psutil.cpu_count()} CPUs, load {psutil.getloadavg()[0]:.1f}")
    runner = load_runner("quickstart", ["engine.restarts=0"])
    ours, loop = Side(), Side()
    with (
        tempfile.TemporaryDirectory() as folder,
        supervised(runner.engine, Path(folder)) as engine,
        engine.chat(runner.sampling) as chat,
    ):
        watched = engine.supervisor
        for number in range(asked.pairs):
            with _timed(ours, watched):
                rollouts = _evalkit(chat, runner, Path(folder) / str(number), asked)
            ours.rates.append(_rate(rollouts))
            with _timed(loop, watched):
                rate = replay(watched.endpoint.url, watched.endpoint.model, _anew(rollouts))
            loop.rates.append(rate)
            console.print(f"pair {number + 1}: evalkit {ours.rates[-1]:.2f}, loop {rate:.2f} tok/s")
        whole = _rate(_whole(chat, runner, Path(folder) / "whole", asked))
        console.print(f"with containers and grading beside: {whole:.2f} tok/s")
    return _report(ours, loop, console)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--rollouts", type=int, default=8)
    parser.add_argument("--turns", type=int, default=3, help="of each rollout")
    parser.add_argument("--tokens", type=int, default=64, help="completion tokens of a turn")
    return parser.parse_args()


@contextmanager
def _timed(side: Side, watched: Supervisor) -> Iterator[None]:
    """Add the CPU time that passes within the block."""
    before, engine = time.process_time(), _cpu_s(watched.endpoint.pid)
    yield
    side.cpu_s += time.process_time() - before
    side.engine_cpu_s += _cpu_s(watched.endpoint.pid) - engine


def _cpu_s(pid: int | None) -> float:
    tree = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:2]) for one in (tree, *tree.children(recursive=True)))


def _evalkit(
    chat: ChatModel, runner: Runner, folder: Path, asked: argparse.Namespace
) -> Sequence[Sequence[Asked]]:
    """Let rollouts run through a whole campaign; return what each asked."""
    recording = Recording(chat)
    tasks = [make_task(id=f"task-{number}") for number in range(asked.rollouts)]
    with RunFolder(folder) as store:
        gate = Gate(asked.rollouts, Event(), store.event)
        run_at_once(_agent(recording, runner, asked), tasks, store, gate)
    return list(recording.rollouts.values())


def _whole(
    chat: ChatModel, runner: Runner, folder: Path, asked: argparse.Namespace
) -> Sequence[Sequence[Asked]]:
    """Let rollouts work on quickstart's tasks as `evalkit run` does; return what each asked."""
    recording = Recording(chat)
    suite = choose_suite("quickstart")
    run = Run(
        id=folder.name,
        folder=folder,
        suite=suite,
        runner=runner,
        agent="tools",
        model=runner.label,
        command="",
        tasks=tuple(suite.tasks())[: asked.rollouts],
        attempts=1,
    )
    execute(run, lambda *_: nullcontext(_agent(recording, runner, asked)), Stopper())
    return list(recording.rollouts.values())


def _agent(model: ChatModel, runner: Runner, asked: argparse.Namespace) -> ToolAgent:
    prompt = Prompt.load("compact")
    return ToolAgent(
        model=model,
        prompt=prompt.model_copy(update={"system": f"{uuid.uuid4()}\n{prompt.system}"}),
        config=runner.agent,
        limits=RolloutLimits(turns=asked.turns, completion_tokens=asked.tokens * asked.turns),
        stopping=Event(),
    )


def _anew(rollouts: Sequence[Sequence[Asked]]) -> list[list[Asked]]:
    """Put another word before the first message of every request."""
    word = str(uuid.uuid4())
    return [[one.with_word(word) for one in rollout] for rollout in rollouts]


def _rate(rollouts: Sequence[Sequence[Asked]]) -> float:
    """Return tokens a second from the first request to the last token."""
    turns = [turn for rollout in rollouts for turn in rollout]
    took = max(turn.ended for turn in turns) - min(turn.begun for turn in turns)
    return sum(turn.tokens for turn in turns) / took


def _report(ours: Side, loop: Side, console: Console) -> int:
    ratios = [mine / theirs for mine, theirs in zip(ours.rates, loop.rates, strict=True)]
    share = ours.cpu_s / ours.engine_cpu_s
    lines: Mapping[str, tuple[float, bool]] = {
        f"output tokens/s, evalkit / closed loop, median of {len(ratios)} pairs "
        f"({min(ratios):.3f}..{max(ratios):.3f}), at least {TARGET}": (
            median(ratios),
            median(ratios) >= TARGET,
        ),
        f"CPU of evalkit / CPU of the engine, at most {CPU_TARGET}": (share, share <= CPU_TARGET),
    }
    for name, (seen, met) in lines.items():
        console.print(f"{'met   ' if met else 'missed'}  {seen:.3f}: {name}")
    return int(not all(met for _, met in lines.values()))


if __name__ == "__main__":
    raise SystemExit(main())

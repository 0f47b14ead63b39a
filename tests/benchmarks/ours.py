"""evalkit's own agent, chat client, sandboxes and trajectories, as a run puts them together."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

from evalkit.agents.prompt import Prompt
from evalkit.agents.tools import ToolAgent
from evalkit.cli.wiring import choose_suite
from evalkit.config.runner import AgentConfig, RolloutLimits, Sampling
from evalkit.protocols import Sandbox
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.daemon import connect
from evalkit.serving.chat import OpenAIChat
from evalkit.store import RunFolder
from evalkit.types import CommandResult, Task
from tests.benchmarks.phases import Phases, compete
from tests.benchmarks.workload import MODEL


def main() -> None:
    url, image, workers, turns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    task = bench_task()
    assert task.image == image
    with (
        tempfile.TemporaryDirectory() as folder,
        RunFolder(Path(folder)) as store,
        closing(connect()) as client,
        closing(DockerContainers(client, run_id="bench")) as containers,
        # As for an engine of our own, which counts the tokens in every event.
        closing(OpenAIChat(url, MODEL, Sampling(), count_as_it_comes=True)) as model,
    ):
        with containers.rollout(task, 0):
            pass  # the layer without later history is made once for a task
        limits = RolloutLimits(turns=turns)
        agent = ToolAgent(
            model=model,
            prompt=Prompt.load("default"),
            config=AgentConfig(),
            limits=limits,
            stopping=Event(),
        )

        def work(number: int, phases: Phases) -> None:
            @contextmanager
            def open_sandbox() -> Iterator[Sandbox]:
                with containers.rollout(task, number) as sandbox:
                    sandbox.run("true", timeout_s=60)
                    phases.ready()
                    yield _Watched(sandbox, phases)

            record = store.trajectory(task.id, number)
            done = agent.solve(task, number, open_sandbox, record)
            assert done.turns == turns, done.stop

        compete("evalkit", workers, turns, work)


def bench_task() -> Task:
    """Return a task with its image on this machine."""
    suite = choose_suite("quickstart")
    task = suite.tasks()[0]
    suite.prepare(task)
    return task


class _Watched:
    """A sandbox that tells when the agent is done with its turns: it asks for the patch."""

    def __init__(self, sandbox: Sandbox, phases: Phases) -> None:
        self._sandbox, self._phases = sandbox, phases

    def run(self, command: str, *, timeout_s: float) -> CommandResult:
        return self._sandbox.run(command, timeout_s=timeout_s)

    def read_file(self, path: str) -> bytes:
        return self._sandbox.read_file(path)

    def write_file(self, path: str, content: bytes) -> None:
        self._sandbox.write_file(path, content)

    def patch(self) -> str:
        self._phases.looped()
        patch = self._sandbox.patch()
        self._phases.patched()
        return patch


if __name__ == "__main__":
    main()

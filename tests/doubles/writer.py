"""A program that writes a run folder: `python -m tests.doubles.writer FOLDER [--waits] [--slow]`.

After each step it says which one; so what it said is in the folder, whatever ends it. Slow, it
lets more than a second go by before each attempt.
"""

import sys
import time
from pathlib import Path

from evalkit.errors import StoreError
from evalkit.store import RunFolder
from evalkit.types import EngineSample, Finished
from tests.doubles.finished import make_finished, make_rolled

TASKS = ("a", "b")


def main(path: Path, *, waits: bool, slow: bool = False) -> int:
    """Write two attempts, one after the other, going on with what is there."""

    def await_room(error: StoreError) -> bool:
        say(f"full: {error.message}")
        return waits

    with RunFolder(path, resume=True, await_room=await_room) as folder:
        folder.describe(model="m")
        say("run.json")
        for task_id in TASKS:
            time.sleep(1.1 * slow)
            if (task_id, 1) not in folder.results():
                write(folder, task_id)
    say("closed")
    return 0


def write(folder: RunFolder, task_id: str) -> None:
    """Write one attempt, but for what an earlier process wrote of it."""
    if folder.rolled_out(task_id, 1) is None:
        folder.event("rollout", task_id=task_id)
        say(f"event {task_id}")
        folder.trajectory(task_id, 1)({"kind": "turn", "turn": 1})
        folder.engine_sample(EngineSample(t=1.0))
        folder.roll_out(make_rolled(f"{task_id}\n", task_id=task_id))
        say(f"rollout {task_id}")
    folder.finish(finished(task_id))
    say(f"finish {task_id}")


def finished(task_id: str) -> Finished:
    """How a task's attempt ends: the second one's had to be begun again."""
    return make_finished(f"{task_id}\n", task_id=task_id, retry=TASKS.index(task_id))


def say(what: str) -> None:
    """Say it at once."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), waits="--waits" in sys.argv, slow="--slow" in sys.argv))

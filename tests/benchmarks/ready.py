"""How long until a sandbox can be worked in, beside a bare `docker run` of the same image."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing

from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.daemon import connect
from tests.benchmarks.ours import bench_task


def main() -> None:
    rounds = int(sys.argv[1])
    task = bench_task()
    with closing(connect()) as client, closing(DockerContainers(client, run_id="bench")) as boxes:

        def ours() -> float:
            begun = time.monotonic()
            with boxes.rollout(task, 1) as sandbox:
                sandbox.run("true", timeout_s=60)
                return time.monotonic() - begun

        contenders: dict[str, Callable[[], float]] = {
            "evalkit": ours,
            "docker run": lambda: _docker_run(task.image),
            "docker run, network none": lambda: _docker_run(task.image, "--network=none"),
        }
        ours()
        seconds = {name: [one() for _ in range(1)] for name, one in contenders.items()}
        for _ in range(rounds - 1):
            for name, one in contenders.items():
                seconds[name].append(one())
    print(json.dumps(seconds))


def _docker_run(image: str, *options: str) -> float:
    begun = time.monotonic()
    done = subprocess.run(
        ["docker", "run", "--detach", *options, "--entrypoint=", image, "sleep", "600"],
        capture_output=True,
        check=True,
        text=True,
    )
    seconds = time.monotonic() - begun
    subprocess.run(
        ["docker", "rm", "--force", done.stdout.strip()], capture_output=True, check=True
    )
    return seconds


if __name__ == "__main__":
    main()

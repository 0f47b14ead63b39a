"""mini-swe-agent as its users run it: default Docker environment, default model class, mini.yaml."""

import subprocess
import sys

from minisweagent.agents.default import DefaultAgent
from minisweagent.config import get_config_from_spec
from minisweagent.environments.docker import DockerEnvironment
from minisweagent.models.litellm_model import LitellmModel

from tests.benchmarks.phases import Phases, compete
from tests.benchmarks.workload import MODEL


def main() -> None:
    url, image, workers, turns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    config = get_config_from_spec("mini.yaml")
    kwargs = {**config["model"]["model_kwargs"], "api_base": url, "api_key": "none"}
    settings = {**config["model"], "model_kwargs": kwargs, "cost_tracking": "ignore_errors"}
    opened: list[DockerEnvironment] = []

    def open_model() -> LitellmModel:
        return LitellmModel(model_name=f"openai/{MODEL}", **settings)

    def work(_number: int, phases: Phases) -> None:
        environment = DockerEnvironment(image=image, **config["environment"])
        opened.append(environment)
        agent = DefaultAgent(open_model(), environment, **{**config["agent"], "step_limit": turns})
        phases.ready()
        agent.run("Look at the licence.")
        assert agent.n_calls == turns
        phases.looped()
        phases.patched()
        environment.cleanup()  # type: ignore[no-untyped-call]

    def left() -> int:
        return sum(_is_there(str(one.container_id)) for one in opened)

    open_model().query([{"role": "user", "content": "hello"}])  # litellm imports a lot at its first
    try:
        compete("mini-swe-agent", workers, turns, work, left)
    finally:
        for environment in opened:
            _docker("rm", "--force", str(environment.container_id))


def _is_there(container: str) -> bool:
    return _docker("inspect", container).returncode == 0


def _docker(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["docker", *arguments], capture_output=True, check=False)


if __name__ == "__main__":
    main()

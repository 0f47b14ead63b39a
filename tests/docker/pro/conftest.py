"""Grading of synthetic instances in SWE-bench Pro's shape."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import cache

import pytest

from evalkit.config.content import content_root
from evalkit.config.yaml_files import read_yaml, validate
from evalkit.grading.judge import judge
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.daemon import connect
from evalkit.sandbox.images import Images
from evalkit.suites.pro.scripts import Scripts, load_scripts
from evalkit.suites.pro.suite import ProFile, ProSuite
from evalkit.types import Evidence, Limits, Network, Outcome, Task
from tests.doubles.canary import Canary
from tests.doubles.pro import build_pro_images, history, pro_id, write_pro_data

TaskOf = Callable[[str], Task]
Grade = Callable[..., Evidence]
PatchOf = Callable[..., str]


@pytest.fixture(scope="session")
def containers() -> Iterator[DockerContainers]:
    with closing(DockerContainers(connect(), run_id="test-pro")) as opened:
        yield opened


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory, images: Images) -> ProSuite:
    rows, scripts = write_pro_data(tmp_path_factory.mktemp("pro"))
    build_pro_images(images)
    root = content_root() / "tasks" / "swebench-pro"
    file = validate(ProFile, read_yaml(root / "suite.yaml"), "suite.yaml").model_copy(
        update={
            "rows": rows,
            "scripts": scripts,
            "network": Network.NONE,
            "limits": Limits(cpus=2, memory_mib=512, pids=256, seconds=60),
        }
    )
    return ProSuite(root, file, lambda: images, print, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def task_of(suite: ProSuite) -> TaskOf:
    tasks = {task.id: task for task in suite.tasks()}
    return lambda shape: tasks[pro_id(shape)]


@pytest.fixture(scope="session")
def grade(suite: ProSuite, containers: DockerContainers, task_of: TaskOf, canary: Canary) -> Grade:
    """Grade a patch; the same one is graded once a session."""

    @cache
    def collect(patch: str, shape: str = "last-wins") -> Evidence:
        return canary.absent_from(suite.collect(task_of(shape), patch, containers.run))

    return collect


@pytest.fixture(scope="session")
def outcome(grade: Grade, task_of: TaskOf) -> Callable[..., Outcome]:
    def conclude(patch: str, shape: str = "last-wins") -> Outcome:
        return judge(task_of(shape), grade(patch, shape)).outcome

    return conclude


@pytest.fixture(scope="session")
def scripts_of(suite: ProSuite) -> Callable[[str], Scripts]:
    return lambda shape: load_scripts(suite._scripts, pro_id(shape))


@pytest.fixture(scope="session")
def gold() -> str:
    return history().patch


@pytest.fixture(scope="session")
def patch_of(containers: DockerContainers, task_of: TaskOf, canary: Canary) -> PatchOf:
    """The patch of a rollout that runs a command and then appends to files."""

    def make(appended: Mapping[str, str] | None = None, command: str = "true") -> str:
        with containers.rollout(task_of("last-wins"), 1) as sandbox:
            sandbox.run(command, timeout_s=30)
            for name, text in (appended or {}).items():
                path = f"/app/{name}"
                try:
                    before = sandbox.read_file(path)
                except FileNotFoundError:
                    before = b""
                sandbox.write_file(path, before + text.encode())
            return canary.absent_from(sandbox.patch())

    return make

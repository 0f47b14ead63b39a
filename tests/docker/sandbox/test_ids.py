"""Row E14: an id becomes a folder's name and a label, or is refused."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from evalkit.cli.wiring import cache_folder
from evalkit.errors import ConfigError
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.images import Images
from evalkit.store import RunFolder
from evalkit.suites.registry import open_suite
from evalkit.types import Task
from tests.doubles.canary import Canary

if TYPE_CHECKING:
    from docker import APIClient

pytestmark = pytest.mark.row("E14")

BAD = (
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "/etc",
    "a\\b",
    "a\0b",
    "a\n",
    "-x",
    "~",
    "é",
    "x" * 201,
    "a b",
)
GOOD = ("a..b", "A" * 200, "x--y", "instance_a__b-1.2@3+4", "CON")


@pytest.mark.parametrize("name", BAD)
def test_a_bad_id_makes_no_task(repository: Task, name: str) -> None:
    with pytest.raises(ValidationError, match="\nid\n"):
        Task(**{**repository.model_dump(), "id": name})


@pytest.mark.parametrize("name", GOOD)
def test_all_that_an_id_names_lies_in_the_run_folder(tmp_path: Path, name: str) -> None:
    run = tmp_path / "run"
    with RunFolder(run) as folder:
        folder.trajectory(name, 1)({"role": "user"})
    assert [path for path in tmp_path.iterdir() if path != run] == []
    assert (run / "tasks" / name / "1" / "trajectory.jsonl").is_file()


def test_ids_that_differ_in_case_alone_stay_apart(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run") as folder:
        for name in ("Task", "task"):
            folder.trajectory(name, 1)({"id": name})
    text = (tmp_path / "run/tasks/Task/1/trajectory.jsonl").read_text()
    assert text == '{"id":"Task"}\n'


@pytest.mark.parametrize("name", GOOD)
def test_a_label_holds_the_id_as_it_is(
    client: "APIClient", containers: DockerContainers, repository: Task, name: str
) -> None:
    with containers.rollout(repository.model_copy(update={"id": name}), 1) as sandbox:
        labels = client.inspect_container(sandbox._container)["Config"]["Labels"]
    assert labels["evalkit.task"] == name


SUITE = """name: {name}
description: x
runner: gold
grading: pytest
image: {{base: x, suite: bookworm, packages: []}}
tasks: [{task!r}]
"""


@pytest.mark.parametrize(
    ("name", "task"), [("own", "../host"), ("own", "{folder}"), ("own", ".."), ("../../x", "one")]
)
def test_a_suite_names_no_folder_outside_itself(
    tmp_path: Path, canary: Canary, images: Images, name: str, task: str
) -> None:
    text = SUITE.format(name=name, task=task.format(folder=canary.path.parent))
    (tmp_path / "suite.yaml").write_text(text)
    with pytest.raises(ConfigError, match="should match pattern"):
        open_suite(str(tmp_path), images=lambda: images, say=print, cache=cache_folder())

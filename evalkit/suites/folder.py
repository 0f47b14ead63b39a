"""A suite that lies in a folder: `suite.yaml`, and a folder a task with its history and tests."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationError

from evalkit.config.yaml_files import read_yaml, validate
from evalkit.errors import ImageError, TaskError
from evalkit.protocols import Images, Job, JobResult
from evalkit.suites.pytest_job import grading_job, new_nonce, read_evidence
from evalkit.types import FOLDER_NAME, Evidence, Limits, Record, Task

_RECIPE = Path(__file__).with_name("pytest_job.sh")


class BaseImage(Record):
    """The Debian image that the suite's task images stand on."""

    base: str
    """Pulled where a registry answers."""
    suite: str
    """Debian release for debootstrap where none does."""
    packages: tuple[str, ...]


class SuiteFile(Record):
    """The content of suite.yaml."""

    name: str = Field(pattern=FOLDER_NAME)
    description: str
    runner: str
    """The runner taken when none is named."""
    grading: Literal["pytest"]
    image: BaseImage
    tasks: tuple[Annotated[str, Field(pattern=FOLDER_NAME)], ...] = Field(min_length=1)


class TaskFile(Record):
    """The content of task.yaml; problem, history, tests and gold patch lie beside it."""

    repo: str
    language: str
    base_commit: str = Field(pattern="^[0-9a-f]{40}$")
    workdir: str
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    test_files: tuple[str, ...] = Field(min_length=1)
    limits: Limits


class FolderSuite:
    """Tasks written for evalkit or by its user, graded by pytest.

    `images` is asked for when images are needed: reading tasks takes no Docker.
    """

    facts: Mapping[str, JsonValue] = MappingProxyType({})
    known_bad: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self,
        root: Path,
        file: SuiteFile,
        images: Callable[[], Images],
        say: Callable[[str], None],
    ) -> None:
        self._root = root
        self._file = file
        self._images = images
        self._say = say

    @property
    def name(self) -> str:
        """The name used on the command line."""
        return self._file.name

    @property
    def default_runner(self) -> str:
        """The runner taken when none is named."""
        return self._file.runner

    @cached_property
    def revision(self) -> str:
        """Sha256 over every file of the suite and the grading script."""
        digest = hashlib.sha256(_RECIPE.read_bytes())
        for path in sorted(self._root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"\0{path.relative_to(self._root)}\0".encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def task_revision(self, task: Task) -> str:
        """Return the sha256 over the task, its hidden tests and the grading script."""
        digest = hashlib.sha256(_RECIPE.read_bytes() + task.sha256.encode())
        for name, content in self._hidden_tests(task).items():
            digest.update(f"\0{name}\0".encode() + content)
        return digest.hexdigest()

    def tasks(self) -> Sequence[Task]:
        """Return every task in the order of suite.yaml. Raises TaskError naming the bad one."""
        return self._tasks

    @cached_property
    def _tasks(self) -> tuple[Task, ...]:
        return tuple(self._load(task_id) for task_id in self._file.tasks)

    def _load(self, task_id: str) -> Task:
        folder = self._root / task_id
        file = validate(TaskFile, read_yaml(folder / "task.yaml"), f"{task_id}/task.yaml")
        try:
            return Task(
                id=task_id,
                suite=self.name,
                problem=(folder / "problem.md").read_text("utf-8"),
                gold_patch=(folder / "gold.patch").read_bytes().decode("utf-8"),
                image=self._tag(task_id, file),
                **file.model_dump(),
            )
        except (ValidationError, OSError, UnicodeDecodeError) as error:
            raise TaskError(f"task {task_id} of {self.name}: {error}") from error

    def prepare(self, task: Task) -> str:
        """Build the task's image unless it is there; return its digest."""
        digest = self._images().digest(task.image)
        if digest is None:
            self._say(f"building the image of {task.id}")
            self._build(task)
            digest = self._images().digest(task.image)
        if digest is None:
            raise ImageError(f"{task.image} was built and is not there")
        return digest

    def release(self, task: Task) -> None:
        """Remove the task's image; it can be built again."""
        self._images().remove(task.image)

    def collect(self, task: Task, patch: str, run: Callable[[Job], JobResult]) -> Evidence:
        """Run the hidden tests over the patch in a fresh container."""
        nonce = new_nonce()
        result = run(grading_job(task, patch, self._hidden_tests(task), nonce))
        return read_evidence(task, result, nonce)

    def _hidden_tests(self, task: Task) -> dict[str, bytes]:
        folder = self._root / task.id
        files = (path for path in (folder / "tests").rglob("*.py"))
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(files)}

    def _build(self, task: Task) -> None:
        image = self._file.image
        base = self._base_tag()
        self._images().ensure_base(
            ref=image.base, suite=image.suite, packages=image.packages, tag=base, say=self._say
        )
        history = (self._root / task.id / "history.fi").read_bytes()
        dockerfile = _DOCKERFILE.format(base=base, workdir=task.workdir, commit=task.base_commit)
        self._images().build(task.image, dockerfile, {"history.fi": history}, lambda _step: None)

    def _base_tag(self) -> str:
        return f"evalkit/base:{self._file.image.suite}-{_hash(self._file.image.model_dump())}"

    def _tag(self, task_id: str, file: TaskFile) -> str:
        history = hashlib.sha256((self._root / task_id / "history.fi").read_bytes()).hexdigest()
        content = [_DOCKERFILE, self._base_tag(), history, file.workdir, file.base_commit]
        return f"evalkit/{self.name}/{task_id}:{_hash(content)}".lower()


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


_DOCKERFILE = """\
FROM {base}
COPY history.fi /tmp/history.fi
RUN git init -q -b main {workdir} && cd {workdir} \\
 && git fast-import --quiet < /tmp/history.fi && rm /tmp/history.fi \\
 && git reset -q --hard main && test "$(git rev-parse HEAD)" = {commit} \\
 && git config --system user.name developer \\
 && git config --system user.email developer@example.com
WORKDIR {workdir}
"""

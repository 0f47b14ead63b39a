"""SWE-bench Pro as a suite: instances become tasks, graded as by the official evaluator."""

import csv
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue, ValidationError

from evalkit.errors import ImageError, TaskError
from evalkit.protocols import Images, Job, JobResult
from evalkit.suites.pro.grading import collect
from evalkit.suites.pro.hub import Dataset
from evalkit.suites.pro.images import image_tag
from evalkit.suites.pro.problem import problem_text
from evalkit.suites.pro.rows import Row, load_rows, only_listed, rows_sha256
from evalkit.suites.pro.scripts import fetch_scripts, load_scripts, local_scripts, scripts_sha256
from evalkit.types import FOLDER_NAME, Evidence, Limits, Network, Record, Task

_RECIPE = ("entry.py", "grading.py", "scripts.py")


class ProFile(Record):
    """The content of suite.yaml."""

    name: str = Field(pattern=FOLDER_NAME)
    description: str
    runner: str
    """The runner taken when none is named."""
    grading: Literal["swebench-pro"]
    size: int
    """Instances of the dataset, for lists: rows are read only where they are needed."""
    dataset: Dataset
    repository: str
    """Of the official evaluator, for git."""
    commit: str = Field(pattern="^[0-9a-f]{40}$")
    images: str
    """Repository of the images, one tag an instance."""
    network: Network
    """Of the grading container."""
    limits: Limits
    extends: str | None = Field(default=None, pattern=FOLDER_NAME)
    """The suite that these tasks are of, where this is a part of another; see `open_suite`."""
    only: Path | None = None
    """Lists the instances of a part, one a line; `#` begins a comment."""
    rows: Path | None = None
    """A file in the dataset's place."""
    scripts: Path | None = None
    """A checkout in the repository's place."""


class KnownBad(Record):
    """A line of known.csv: an instance whose official verdict says little about a patch."""

    instance: str
    kind: Literal["corrupt", "gold_fails", "gold_fails_sometimes", "slow"]
    """corrupt: no patch can pass. gold_fails: nor did any published run. gold_fails_sometimes: a
    published run passed. slow: passes the time limit on some machines. The last two stay in."""
    note: str
    source: str


class ProSuite:
    """The public instances of SWE-bench Pro.

    Building it reads nothing: rows and scripts are had when first asked for, images by `images`.
    """

    def __init__(
        self,
        root: Path,
        file: ProFile,
        images: Callable[[], Images],
        say: Callable[[str], None],
        cache: Path,
    ) -> None:
        self._root = root
        self._file = file
        self._images = images
        self._say = say
        self._cache = cache

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
        """Sha256 over rows, scripts, the grading recipe, and the network and limits it has."""
        decisive = {
            "rows": self._rows_sha256,
            "scripts": self._scripts_sha256,
            "recipe": self._recipe_sha256,
            "network": self._file.network,
            "limits": self._file.limits.model_dump(),
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def task_revision(self, task: Task) -> str:
        """Return the sha256 over the task with its limits, its scripts and the grading recipe."""
        decisive = [task.sha256, scripts_sha256(self._scripts, [task.id]), *self._recipe_sha256]
        return hashlib.sha256("\n".join(decisive).encode()).hexdigest()

    @cached_property
    def _recipe_sha256(self) -> list[str]:
        recipe = resources.files("evalkit.suites.pro")
        return [hashlib.sha256(recipe.joinpath(name).read_bytes()).hexdigest() for name in _RECIPE]

    @property
    def facts(self) -> Mapping[str, JsonValue]:
        """Where rows and scripts came from, their hashes, and the network of grading."""
        file = self._file
        rows: dict[str, JsonValue] = (
            {"dataset": file.dataset.name, "dataset_revision": file.dataset.revision}
            if file.rows is None
            else {"rows_file": file.rows.name}
        )
        scripts: dict[str, JsonValue] = (
            {"scripts_commit": file.commit}
            if file.scripts is None
            else {"scripts_folder": file.scripts.name}
        )
        hashes = {"rows_sha256": self._rows_sha256, "scripts_sha256": self._scripts_sha256}
        return rows | scripts | hashes | {"grading_network": file.network.value}

    @cached_property
    def known_bad(self) -> Mapping[str, str]:
        """Instances that no patch, or not even the gold one, was seen to solve, and why."""
        left_out = {"corrupt", "gold_fails"}
        return {one.instance: one.note for one in self._known() if one.kind in left_out}

    def _known(self) -> list[KnownBad]:
        path = self._root / "known.csv"
        try:
            with path.open(encoding="utf-8", newline="") as lines:
                return [KnownBad.model_validate(line) for line in csv.DictReader(lines)]
        except (OSError, ValidationError) as error:
            raise TaskError(f"cannot read {path}: {error}") from error

    def tasks(self) -> Sequence[Task]:
        """Return every task in the dataset's order. Raises TaskError naming the bad rows."""
        return self._tasks

    @cached_property
    def _tasks(self) -> tuple[Task, ...]:
        return tuple(self._task(row) for row in self._rows)

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        rows = load_rows(self._file.dataset, self._file.rows, self._say, self._cache)
        return rows if self._file.only is None else only_listed(rows, self._file.only)

    @cached_property
    def _rows_sha256(self) -> str:
        return rows_sha256(self._rows)

    @cached_property
    def _scripts(self) -> Path:
        if self._file.scripts is not None:
            return local_scripts(self._file.scripts)
        return fetch_scripts(self._file.repository, self._file.commit, self._cache, self._say)

    @cached_property
    def _scripts_sha256(self) -> str:
        return scripts_sha256(self._scripts, (row.instance_id for row in self._rows))

    def _task(self, row: Row) -> Task:
        selected = row.selected_test_files_to_run
        return Task(
            id=row.instance_id,
            # A part's task is the whole's to the byte: what was made of it can be compared.
            suite=self._file.extends or self.name,
            repo=row.repo,
            language=row.repo_language,
            base_commit=row.base_commit,
            problem=problem_text(row),
            image=f"{self._file.images}:{image_tag(row.instance_id, row.repo)}",
            workdir="/app",
            fail_to_pass=row.fail_to_pass,
            pass_to_pass=row.pass_to_pass,
            test_files=tuple(dict.fromkeys(selected)),
            gold_patch=row.patch,
            limits=self._file.limits,
            network=self._file.network,
            payload={
                # Officially only the last line is run: the others reset the tree, and the patch.
                "before_repo_set_cmd": row.before_repo_set_cmd.strip().split("\n")[-1],
                "selected": ",".join(selected),
            },
        )

    def prepare(self, task: Task) -> str:
        """Pull the task's image unless it is on this machine; return its digest."""
        digest = self._images().digest(task.image)
        if digest is None:
            self._images().pull(task.image, self._say)
            digest = self._images().digest(task.image)
        if digest is None:
            raise ImageError(f"{task.image} was pulled and is not there")
        return digest

    def release(self, task: Task) -> None:
        """Remove the task's image, which can be pulled again."""
        self._images().remove(task.image)

    def collect(self, task: Task, patch: str, run: Callable[[Job], JobResult]) -> Evidence:
        """Grade a patch in the official order, in fresh containers."""
        return collect(task, load_scripts(self._scripts, task.id), patch, run)

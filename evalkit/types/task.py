"""What is to be solved, and where."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from evalkit.types.record import Record


class Network(StrEnum):
    """What a container may reach."""

    NONE = "none"
    BRIDGE = "bridge"


History = Literal["base", "none"]
"""What a rollout's repository remembers: all up to base, or base as its only commit."""


FOLDER_NAME = r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,199}$"
"""A task's id is also a folder's name on disk and part of others, hence the narrow alphabet."""


class Limits(Record):
    """What one container may use. What the host could give is recorded apart, as effective."""

    cpus: float = Field(default=1.0, gt=0)
    memory_mib: int = Field(default=2048, ge=64)
    pids: int = Field(default=512, ge=16)
    seconds: float = Field(default=600.0, gt=0)
    """Wall clock for the whole of grading."""


class Task(Record):
    """One problem: a repository at a base commit, what to do, and the tests that decide."""

    id: str = Field(pattern=FOLDER_NAME)
    suite: str
    repo: str
    language: str
    base_commit: str
    problem: str = Field(min_length=1)
    image: str
    workdir: str
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...] = ()
    test_files: tuple[str, ...] = ()
    gold_patch: str
    limits: Limits = Limits()
    network: Network = Network.NONE
    """Network of the grading container; a rollout never has one."""
    payload: Mapping[str, JsonValue] = Field(default_factory=dict)
    """What only the task's own suite needs in order to grade it."""

    @cached_property
    def sha256(self) -> str:
        """Hash of all of it."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @model_validator(mode="after")
    def _lists_decide(self) -> Self:
        required = self.fail_to_pass + self.pass_to_pass
        if not self.fail_to_pass:
            raise ValueError("fail_to_pass is empty: no test could show that the task is solved")
        if len(set(required)) != len(required):
            twice = sorted({name for name in required if required.count(name) > 1})
            raise ValueError(f"tests named twice in fail_to_pass and pass_to_pass: {twice}")
        return self

"""A runner: which model, how it is served, how the agent works, and within which limits."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from evalkit.config.content import content_names, content_root
from evalkit.config.engine import EngineConfig
from evalkit.config.names import unknown_name
from evalkit.config.yaml_files import read_yaml, validate, with_overrides
from evalkit.types import History, Record


class Sampling(Record):
    """What is sent with every request; None leaves the engine's default."""

    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=1)
    max_tokens: int = Field(default=4096, ge=1)
    """Completion tokens of one turn."""


class AgentConfig(Record):
    """The scaffold and its prompt."""

    name: str = "tools"
    prompt: str = "default"
    """One of evalkit's own, or `sweagent@COMMIT`: the published scaffold's, read at use."""
    scaffold: Path | None = None
    """A checkout that takes the place of the published scaffold's repository."""
    tool_format: Literal["native", "fenced"] = "native"
    """native: the engine's tool calls. fenced: calls from a fenced JSON block, results as user
    messages, for small models that were not trained to the native form."""
    command_timeout_s: float = Field(default=120, gt=0)
    observation_chars: int = Field(default=16000, ge=200)
    """Where a runner does not say those two, a published scaffold's prompt does."""


class RolloutLimits(Record):
    """When a rollout ends on its own."""

    turns: int = Field(default=300, ge=1)
    completion_tokens: int | None = Field(default=None, ge=1)
    seconds: float = Field(default=7200, gt=0)


class Concurrency(Record):
    """How much runs side by side."""

    rollouts: int = Field(default=8, ge=1)
    """At most; where the engine tells its KV cache, as many as that holds."""
    expected_context: int | None = Field(default=None, ge=1)
    """Tokens a rollout is expected to hold in the KV cache; None: half of max_model_len."""
    gradings: int = Field(default=2, ge=1)
    last_gradings_s: float | None = Field(default=None, gt=0)
    """Once the last rollout has ended, gradings take at most so long: tests that run then have timed
    out, and what was not begun is left to --resume. None: as long as the tests' own limits allow."""
    free_disk_mib: int = Field(default=512, ge=0)
    """With less room on the disk of the run folder or of Docker no rollout starts."""


class SandboxConfig(Record):
    """What an agent works in."""

    history: History = "base"
    """base: the repository's history up to the task's base commit. none: base alone."""


class ImagesConfig(Record):
    """How task images are fetched."""

    pulls: int = Field(default=3, ge=1)
    """Pulled side by side."""
    keep: bool = True
    """False removes each image after its task's last attempt: pull, solve, grade, prune."""


class Runner(Record):
    """A profile, as in `runners/NAME.yaml`."""

    label: str
    total_params_b: float | None = None
    active_params_b: float | None = None
    price_per_gpu_hour: float | None = None
    engine: EngineConfig
    sampling: Sampling = Sampling()
    agent: AgentConfig = AgentConfig()
    limits: RolloutLimits = RolloutLimits()
    concurrency: Concurrency = Concurrency()
    images: ImagesConfig = ImagesConfig()
    sandbox: SandboxConfig = SandboxConfig()

    @model_validator(mode="after")
    def _a_turn_fits(self) -> Self:
        if self.engine.kind != "endpoint" and self.sampling.max_tokens >= self.engine.max_model_len:
            raise ValueError("sampling.max_tokens must be below engine.max_model_len")
        return self


def load_runner(name_or_file: str, overrides: list[str]) -> Runner:
    """Load a runner by name or path. Raises ConfigError on an unknown name or key."""
    path = Path(name_or_file)
    if path.suffix not in {".yaml", ".yml"}:
        path = content_root() / "runners" / f"{name_or_file}.yaml"
        if not path.is_file():
            raise unknown_name("runner", name_or_file, content_names("runners"))
    data = with_overrides(read_yaml(path), overrides)
    return validate(Runner, data, source=str(name_or_file))

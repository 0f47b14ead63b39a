"""One tree, named for the boundary that failed.

EvalkitError
├── ConfigError    (exit 2)  a flag, a name or a YAML key is wrong
├── TaskError      (exit 2)  a suite's content is wrong
├── SourceError    (exit 2)  files pinned in a public repository cannot be had or kept
├── EngineError    (exit 3)  the server that generates tokens
│   ├── UnansweredError      no whole answer came; the same request may be answered later
│   ├── ContextLimitError    the conversation no longer fits the model's context
│   └── EngineGoneError      it died or hung too often: the run cannot go on
├── SandboxError   (exit 3)  Docker: daemon, image, container, disk
│   ├── ImageError           an image is missing or cannot be built
│   └── DiskFullError        there is no room on the daemon's disk
├── WeightsError   (exit 3)  model weights: download, hash, conversion
└── StoreError     (exit 3)  the run folder
"""

from typing import ClassVar


class EvalkitError(Exception):
    """Something a user can act on: what happened, and `hint`, the way out."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(EvalkitError):
    """A flag, a name or a key of a YAML file is wrong."""

    exit_code = 2


class TaskError(EvalkitError):
    """The content of a suite is wrong."""

    exit_code = 2


class SourceError(EvalkitError):
    """Files of a pinned version, published elsewhere, could not be fetched or kept."""

    exit_code = 2


class EngineError(EvalkitError):
    """The engine did not start, died, or answered what no engine should."""


class UnansweredError(EngineError):
    """The engine could not be reached, broke off or fell silent: the request itself is not at fault."""


class ContextLimitError(EngineError):
    """The conversation no longer fits the model's context: a stop reason, not a fault."""


class EngineGoneError(EngineError):
    """The engine died or hung more often than it may be restarted: the run stops, resumable."""


class SandboxError(EvalkitError):
    """The Docker daemon or a container failed."""


class ImageError(SandboxError):
    """An image is missing and could be neither pulled nor built."""


class DiskFullError(SandboxError):
    """There is no room on the daemon's disk, for an image or for a container's files."""


class WeightsError(EvalkitError):
    """Model weights could not be had, or are not the bytes they should be."""


class StoreError(EvalkitError):
    """The run folder cannot be read or written."""

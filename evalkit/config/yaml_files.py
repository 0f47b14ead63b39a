"""Reading YAML into validated records, with errors that name the key and its nearest spelling."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from evalkit.config.names import unknown_name
from evalkit.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML mapping. Raises ConfigError where there is none."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path} should hold a mapping, not {type(data).__name__}")
    return data


def validate(model: type[M], data: Mapping[str, Any], source: str) -> M:
    """Build `model` from `data`. Raises ConfigError naming the first key that is wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # A misspelt key also leaves the right one missing; the misspelling says more.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        path = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            wrong = unknown_name("key", path, key_paths(model))
            raise ConfigError(f"{source}: {wrong.message}") from error
        raise ConfigError(f"{source}: {path or 'content'}: {first['msg']}") from error


def key_paths(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Return every dotted key the model knows, sections before what they hold."""
    paths: list[str] = []
    for name, field in model.model_fields.items():
        paths.append(prefix + name)
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                paths += key_paths(part, f"{prefix}{name}.")
    return paths


def with_overrides(data: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """Apply `key.path=value` strings (the value is YAML) to a copy of `data`, left to right."""
    result = dict(data)
    for override in overrides:
        path, separator, value = override.partition("=")
        if not separator or not path:
            raise ConfigError(f"--set wants key.path=value, not {override!r}")
        try:
            parsed = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {path}: the value {value!r} is not YAML") from error
        _set_path(result, path.split("."), parsed)
    return result


def _set_path(data: dict[str, Any], keys: list[str], value: object) -> None:
    for key in keys[:-1]:
        section = data.get(key)
        data[key] = dict(section) if isinstance(section, dict) else {}
        data = data[key]
    data[keys[-1]] = value

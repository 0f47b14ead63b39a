"""Prompts' templates: jinja2, sandboxed, for some come from another repository."""

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from evalkit.errors import ConfigError

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment


def render(template: str, **values: object) -> str:
    """Fill in a template; values are data, even where they look like templates."""
    return _compiled(template).render(values)


def check(template: str, known: set[str], source: str) -> str:
    """Return a template that uses `known` variables alone. Raises ConfigError."""
    from jinja2 import TemplateSyntaxError, meta

    try:
        used = meta.find_undeclared_variables(_environment().parse(template))
    except TemplateSyntaxError as error:
        raise ConfigError(f"{source} is no jinja2 template: {error}") from error
    if used - known:
        raise ConfigError(f"{source} asks for {sorted(used - known)}, which evalkit has not")
    return template


@lru_cache(maxsize=64)
def _compiled(template: str) -> "Template":
    return _environment().from_string(template)


@cache
def _environment() -> "SandboxedEnvironment":
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(keep_trailing_newline=True, undefined=StrictUndefined)

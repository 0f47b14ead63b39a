"""One way to say that a name is unknown: the nearest one is suggested, the others listed."""

from collections.abc import Iterable
from difflib import get_close_matches

from evalkit.errors import ConfigError


def unknown_name(what: str, name: str, known: Iterable[str]) -> ConfigError:
    """Build the error for a `what` (suite, runner, task, key) that does not exist."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.4)
    if near:
        return ConfigError(f"unknown {what} {name!r}; did you mean {near[0]!r}?")
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return ConfigError(f"unknown {what} {name!r}; there is {listed or 'none'}")

"""Constants of Python source that is read and never run."""

import ast
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeVar

from evalkit.errors import ConfigError

T = TypeVar("T")


def constant(path: Path, name: str, kind: type[T]) -> T:
    """Return the value that a module gives to `NAME`, or a class of it to `CLASS.NAME`.

    Lists, calls of `dedent` and calls with keywords (as a dict of them) are taken apart; all else
    must be a literal. Raises ConfigError where the file is not like that, or the value no `kind`.
    """
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
        value = _plain(_values(body, name.rpartition(".")[0])[name])
    except (OSError, SyntaxError, ValueError, KeyError) as error:
        raise ConfigError(f"{path} gives no plain value to {name}: {error}") from error
    if not isinstance(value, kind):
        raise ConfigError(f"{path} gives no {kind.__name__} to {name}")
    return value


def _values(body: list[ast.stmt], within: str) -> dict[str, ast.expr]:
    """Return what is assigned in a module, and in the one class that is asked for."""
    found: dict[str, ast.expr] = {}
    for one in body:
        match one:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value):
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = value
            case ast.ClassDef(name=name, body=inner) if name == within:
                found |= {f"{name}.{key}": value for key, value in _values(inner, "").items()}
    return found


def _plain(node: ast.expr) -> Any:
    match node:
        case ast.Call(func=ast.Name(id="dedent"), args=[text]):
            return dedent(_plain(text))
        case ast.Call(args=[], keywords=[_, *_] as keywords):
            return {one.arg: _plain(one.value) for one in keywords}
        case ast.List(elts=items):
            return [_plain(item) for item in items]
        case _:
            return ast.literal_eval(node)

"""`evalkit compare`: says whether a candidate may pass."""

import json
from pathlib import Path
from typing import Literal

import typer

from evalkit.cli.wiring import cache_folder, say
from evalkit.errors import ConfigError, StoreError
from evalkit.reporting.compare import compare
from evalkit.reporting.comparison_junit import comparison_junit
from evalkit.reporting.comparison_text import as_json, markdown, text_lines
from evalkit.reporting.gate import Limits, decide
from evalkit.reporting.published_runs import PREFIX, catalogue, published_side
from evalkit.reporting.side import Side, read_side
from evalkit.types import Record


class CompareRequest(Record):
    """The flags of `evalkit compare`."""

    base: str
    candidates: tuple[str, ...]
    limits: Limits
    allow_mismatch: bool
    published: Path | None
    junit: Path | None
    markdown: Path | None
    form: Literal["table", "json"]


def compare_command(request: CompareRequest) -> int:
    """Compare, print, write what was asked for, and return the gate's exit code."""
    base = _side(request.base, request.published)
    candidates = [_side(name, request.published) for name in request.candidates]
    comparison = compare(
        base, candidates, alpha=request.limits.alpha, allow_mismatch=request.allow_mismatch
    )
    decision = decide(comparison, request.limits)
    if request.form == "json":
        typer.echo(json.dumps(as_json(comparison, decision), indent=2))
    else:
        for line in text_lines(comparison, decision):
            typer.echo(line)
    if request.junit is not None:
        _write(request.junit, comparison_junit(comparison, decision))
    if request.markdown is not None:
        _write(request.markdown, markdown(comparison, decision).encode())
    return decision.exit_code


def _side(name: str, published: Path | None) -> Side:
    if name.startswith(PREFIX):
        known = name.removeprefix(PREFIX)
        return published_side(known, local=published, cache=cache_folder(), say=say)
    folder = Path(name)
    if not folder.is_dir():
        published_too = name in catalogue().runs
        hint = f"did you mean {PREFIX}{name}?" if published_too else ""
        raise ConfigError(f"there is no run folder {name}", hint=hint)
    return read_side(folder)


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
    say(f"written: {path}")

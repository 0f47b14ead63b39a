"""The dataset's rows: read exactly, from the model hub or a local file, and checked."""

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from evalkit.errors import TaskError
from evalkit.suites.pro.hub import Dataset, fetch_dataset

_FAULTS_SHOWN = 20


def parse_names(text: object) -> tuple[str, ...]:
    """Read a list of strings written as JSON or, failing that, as a Python literal.

    Nothing is evaluated or changed. Raises ValueError where the text is anything else.
    """
    names = _literal(text) if isinstance(text, str) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("not the text of a list of strings")
    return tuple(_utf8(name) for name in names)


def _literal(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("neither JSON nor a Python literal") from error


def _utf8(text: str) -> str:
    text.encode()  # UnicodeEncodeError is a ValueError: JSON can spell what no file can hold
    return text


def _empty_for_null(text: object) -> object:
    return "" if text is None else text


Names = Annotated[tuple[str, ...], BeforeValidator(parse_names)]
Text = Annotated[str, AfterValidator(_utf8)]
Prose = Annotated[Text, BeforeValidator(_empty_for_null)]
"""May be missing from a row; the official evaluator reads that as empty too."""


class Row(BaseModel):
    """What grading and the problem text need of an instance; other columns are left out."""

    model_config = ConfigDict(frozen=True, strict=True)

    instance_id: str = Field(pattern=r"^instance_[A-Za-z0-9._-]{1,180}$")
    """Also names folders and an image, hence the narrow alphabet."""
    repo: str = Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")
    base_commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    patch: Text
    problem_statement: Text = Field(min_length=1)
    requirements: Prose
    interface: Prose
    repo_language: Text
    fail_to_pass: Names = Field(min_length=1)
    pass_to_pass: Names
    before_repo_set_cmd: Text
    selected_test_files_to_run: Names

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = Counter(self.fail_to_pass + self.pass_to_pass)
        if len(names) < names.total():
            twice = [name for name, count in names.items() if count > 1]
            raise ValueError(f"fail_to_pass and pass_to_pass name a test twice: {twice[0]}")
        return self


def load_rows(
    dataset: Dataset, file: Path | None, say: Callable[[str], None], cache: Path
) -> tuple[Row, ...]:
    """Read every row of the local file, or of the dataset where none is given.

    Raises TaskError naming each row that is wrong, with its fault.
    """
    if file is not None:
        return check_rows(read_table(file), str(file))
    return check_rows(read_table(fetch_dataset(dataset, cache, say)), dataset.name)


def only_listed(rows: Sequence[Row], file: Path) -> tuple[Row, ...]:
    """Return the rows whose instance the file lists, one id a line, in the rows' order.

    Raises TaskError where the list cannot be read or names what is not there.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"cannot read the list of instances {file}: {error}") from error
    wanted = {name for line in lines if (name := line.partition("#")[0].strip())}
    missing = sorted(wanted - {row.instance_id for row in rows})
    if missing or not wanted:
        what = f"no row for {missing[0]}, and {len(missing) - 1} more" if missing else "no instance"
        raise TaskError(f"{file} lists {len(wanted)} instances: {what}")
    return tuple(row for row in rows if row.instance_id in wanted)


def read_table(file: Path) -> list[dict[str, object]]:
    """Read JSON Lines, a JSON list, CSV or Parquet: exact strings, no guessing of types."""
    readers = {".jsonl": _jsonl, ".json": _json, ".csv": _csv, ".parquet": _parquet}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise TaskError(f"{file}: rows come as {', '.join(readers)}, not {file.suffix!r}")
    try:
        table = reader(file)
    except (OSError, ValueError) as error:  # what json, pandas and pyarrow raise on bad content
        raise TaskError(f"cannot read rows from {file}: {error}") from error
    if not isinstance(table, list) or not all(isinstance(row, dict) for row in table):
        raise TaskError(f"{file} should hold a list of rows, each a mapping of column to text")
    return table


def _jsonl(file: Path) -> object:
    # Not splitlines: that would also split at U+2028, which JSON allows inside a string.
    lines = file.read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def _json(file: Path) -> object:
    return json.loads(file.read_text("utf-8"))


def _csv(file: Path) -> object:
    import pandas as pd

    with file.open(encoding="utf-8", newline="") as text:
        return pd.read_csv(text, dtype=str, keep_default_na=False).to_dict("records")


def _parquet(file: Path) -> object:
    import pyarrow.parquet as pq

    return pq.read_table(file).to_pylist()


def check_rows(table: Sequence[Mapping[str, object]], source: str) -> tuple[Row, ...]:
    """Turn a table into rows, all of them or none. Raises TaskError with every fault named."""
    if not table:
        raise TaskError(f"{source} holds no rows")
    columns = set().union(*table)
    missing = [name for name in Row.model_fields if name not in columns]
    if missing:
        raise TaskError(f"{source} lacks the columns {', '.join(missing)}")
    rows, faults = _split(table)
    ids = Counter(row.instance_id for row in rows)
    faults += [f"{name}: stands {count} times" for name, count in ids.items() if count > 1]
    if faults:
        more = len(faults) - _FAULTS_SHOWN
        shown = faults[:_FAULTS_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        raise TaskError(f"{source}: {len(faults)} faults in {len(table)} rows: {'; '.join(shown)}")
    return tuple(rows)


def _split(table: Sequence[Mapping[str, object]]) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    faults: list[str] = []
    for number, raw in enumerate(table, start=1):
        try:
            rows.append(Row.model_validate(dict(raw)))
        except ValidationError as error:
            name = raw.get("instance_id") or f"row {number}"
            for one in error.errors():
                where = "".join(f"{part}: " for part in one["loc"][:1])
                faults.append(f"{name}: {where}{one['msg'].removeprefix('Value error, ')}")
    return rows, faults


def rows_sha256(rows: Sequence[Row]) -> str:
    """Return the sha256 over the rows in their order, each as canonical JSON."""
    digest = hashlib.sha256()
    for row in rows:
        text = json.dumps(row.model_dump(), sort_keys=True, separators=(",", ":"))
        digest.update(text.encode() + b"\n")
    return digest.hexdigest()

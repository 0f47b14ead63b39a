import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import TaskError
from evalkit.suites.pro.rows import read_table

Table = list[dict[str, str]]


def _write_jsonl(file: Path, table: Table) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table), "utf-8")


def _write_json(file: Path, table: Table) -> None:
    file.write_text(json.dumps(table), "utf-8")


def _write_csv(file: Path, table: Table) -> None:
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, list(table[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(table)


def _write_parquet(file: Path, table: Table) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(table), file)


WRITERS: dict[str, Callable[[Path, Table], None]] = {
    "jsonl": _write_jsonl,
    "json": _write_json,
    "csv": _write_csv,
    "parquet": _write_parquet,
}
HARD = [
    "NA",
    "",
    "null",
    "1",
    "007",
    "2026-01-01",
    " a ",
    "x\r\ny\rz\n",
    "\u2028é🚀",
    'a"b,c',
    "nan",
]


@pytest.mark.parametrize("kind", WRITERS)
def test_every_value_is_read_as_the_text_it_is(tmp_path: Path, kind: str) -> None:
    table = [{"id": str(number), "text": text} for number, text in enumerate(HARD)]
    WRITERS[kind](tmp_path / f"rows.{kind}", table)
    assert read_table(tmp_path / f"rows.{kind}") == table


@pytest.mark.parametrize("kind", WRITERS)
def test_a_value_of_half_a_mebibyte_is_read_whole(tmp_path: Path, kind: str) -> None:
    table = [{"id": "1", "text": "x" * 2**19}]
    WRITERS[kind](tmp_path / f"rows.{kind}", table)
    assert read_table(tmp_path / f"rows.{kind}") == table


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1)
)
def test_a_csv_file_gives_back_what_was_written(tmp_path: Path, texts: list[str]) -> None:
    table = [{"id": "1", "text": text} for text in texts]
    _write_csv(tmp_path / "rows.csv", table)
    assert read_table(tmp_path / "rows.csv") == table


def test_another_kind_of_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"rows come as .jsonl, .json, .csv, .parquet, not '.xlsx'"):
        read_table(tmp_path / "rows.xlsx")


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_that_is_not_there_is_named(tmp_path: Path, kind: str) -> None:
    with pytest.raises(TaskError, match=f"cannot read rows from .*rows.{kind}"):
        read_table(tmp_path / f"rows.{kind}")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("jsonl", b"{"),
        ("jsonl", b"\xff"),
        ("json", b"[,]"),
        ("json", b'{"a": 1}'),
        ("json", b"[1]"),
        ("csv", b""),
        ("csv", b"a,b\n1,2,3\n1\n1,2,3,4\n"),
        ("csv", b"a\n\xff\n"),
        ("parquet", b"PAR1"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_named(
    tmp_path: Path, kind: str, content: bytes
) -> None:
    file = tmp_path / f"rows.{kind}"
    file.write_bytes(content)
    with pytest.raises(TaskError, match=f"rows.{kind}"):
        read_table(file)

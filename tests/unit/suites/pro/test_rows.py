from typing import Any

import pytest

from evalkit.errors import TaskError
from evalkit.suites.pro.rows import check_rows, rows_sha256
from tests.doubles.pro_rows import RawRow


def test_prose_is_kept_to_the_byte(raw_row: RawRow) -> None:
    text = "  NA \r\nnull\r\u2028\n\n"
    [row] = check_rows([raw_row(problem_statement=text, patch=text, requirements=text)], "rows")
    assert (row.problem_statement, row.patch, row.requirements) == (text, text, text)


@pytest.mark.parametrize("column", ["requirements", "interface"])
def test_prose_that_is_missing_is_empty(raw_row: RawRow, column: str) -> None:
    [row] = check_rows([raw_row(**{column: None})], "rows")
    assert getattr(row, column) == ""


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("instance_id", "instance_../../etc"),
        ("instance_id", "instance_a\n"),
        ("instance_id", "a__b"),
        ("repo", "rocket"),
        ("repo", "a/b/c"),
        ("base_commit", "main"),
        ("base_commit", "b" * 40 + "\n"),
        ("patch", None),
        ("patch", float("nan")),
        ("patch", "\ud800"),
        ("problem_statement", ""),
        ("fail_to_pass", "[]"),
        ("fail_to_pass", "oops"),
        ("fail_to_pass", r'["\ud800"]'),
        ("pass_to_pass", None),
        ("selected_test_files_to_run", "[1]"),
    ],
)
def test_a_wrong_value_is_named_with_its_column(raw_row: RawRow, column: str, value: Any) -> None:
    with pytest.raises(TaskError, match=f": {column}: "):
        check_rows([raw_row(**{column: value})], "rows")


def test_a_fault_is_named_with_its_row(raw_row: RawRow) -> None:
    rows = [raw_row(), raw_row(sha="c" * 40, pass_to_pass="x")]
    with pytest.raises(TaskError, match=r"rows: 1 faults in 2 rows: instance_Acme__Rocket-c{40}"):
        check_rows(rows, "rows")


def test_a_row_without_an_id_is_named_by_its_number(raw_row: RawRow) -> None:
    with pytest.raises(TaskError, match="row 2: instance_id: "):
        check_rows([raw_row(), raw_row(instance_id=None)], "rows")


def test_a_test_that_is_required_twice_is_a_fault(raw_row: RawRow) -> None:
    with pytest.raises(TaskError, match="name a test twice: t"):
        check_rows([raw_row(fail_to_pass='["t"]', pass_to_pass='["t"]')], "rows")


def test_an_id_that_stands_twice_is_a_fault(raw_row: RawRow) -> None:
    with pytest.raises(TaskError, match="vnan: stands 2 times"):
        check_rows([raw_row(), raw_row()], "rows")


def test_of_many_faults_twenty_are_shown_and_the_rest_counted(raw_row: RawRow) -> None:
    rows = [raw_row(sha=f"{n:040x}", repo="?") for n in range(25)]
    with pytest.raises(TaskError) as caught:
        check_rows(rows, "rows")
    assert caught.value.message.count(": repo: ") == 20
    assert caught.value.message.endswith("and 5 more")


def test_a_missing_column_is_named_once(raw_row: RawRow) -> None:
    rows = [raw_row(), raw_row(sha="c" * 40)]
    for row in rows:
        del row["interface"]
    with pytest.raises(TaskError, match=r"^rows lacks the columns interface$"):
        check_rows(rows, "rows")


def test_no_rows_are_a_fault() -> None:
    with pytest.raises(TaskError, match="holds no rows"):
        check_rows([], "rows")


def test_columns_that_grading_does_not_need_leave_the_hash_alone(raw_row: RawRow) -> None:
    plain = check_rows([raw_row()], "rows")
    more = check_rows([raw_row(test_patch="other", hints="more")], "rows")
    assert rows_sha256(plain) == rows_sha256(more)


def test_any_other_change_shows_in_the_hash(raw_row: RawRow) -> None:
    plain = check_rows([raw_row()], "rows")
    assert rows_sha256(plain) != rows_sha256(check_rows([raw_row(interface="")], "rows"))

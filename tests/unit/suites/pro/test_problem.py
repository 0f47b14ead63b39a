from evalkit.suites.pro.problem import problem_text
from evalkit.suites.pro.rows import Row, check_rows
from tests.doubles.pro_rows import RawRow


def _row(raw: dict[str, object]) -> Row:
    return check_rows([raw], "rows")[0]


def test_three_parts_stand_under_their_headings(raw_row: RawRow) -> None:
    row = _row(raw_row(problem_statement="P", requirements="R", interface="I"))
    assert problem_text(row) == "P\n\nRequirements:\nR\n\nNew interfaces introduced:\nI"


def test_an_empty_part_keeps_its_heading_and_nothing_is_stripped(raw_row: RawRow) -> None:
    row = _row(raw_row(problem_statement=" P \n", requirements="", interface=""))
    assert problem_text(row) == " P \n\n\nRequirements:\n\n\nNew interfaces introduced:\n"


def test_nothing_else_of_the_row_is_shown(raw_row: RawRow) -> None:
    row = _row(raw_row())
    hidden = {"rocket", "test_x", "git", "b" * 40, "a" * 40, "diff"}
    assert [word for word in hidden if word in problem_text(row).lower()] == []

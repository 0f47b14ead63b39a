import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from evalkit.reporting.html.names import page_name, run_names
from evalkit.types import FOLDER_NAME

IDS = st.from_regex(FOLDER_NAME.replace("$", r"\Z"))
ATTEMPTS = st.integers(1, 999)


@given(st.text(st.characters(codec=None)), ATTEMPTS)
def test_whatever_the_id_the_name_is_safe(task_id: str, attempt: int) -> None:
    assert re.fullmatch(r"[0-9]+_[A-Za-z0-9._@+-]{1,240}\.html", page_name(task_id, attempt))


@given(IDS, ATTEMPTS, IDS, ATTEMPTS)
def test_two_attempts_share_no_page_where_case_is_not_seen(
    one: str, first: int, other: str, second: int
) -> None:
    same = page_name(one, first).lower() == page_name(other, second).lower()
    assert same == ((one, first) == (other, second))


def test_ids_that_differ_by_case_alone_have_pages_of_their_own() -> None:
    assert page_name("Demo", 1).lower() != page_name("demo", 1).lower()


def test_a_plain_id_can_be_read_from_the_name() -> None:
    assert page_name("leap-years", 2) == "2_leap-years.html"


def test_a_newline_at_the_end_of_an_id_is_not_overlooked() -> None:
    assert page_name("demo\n", 1) != page_name("demo", 1)


def test_runs_of_one_name_get_folders_of_their_own() -> None:
    names = run_names([Path("/a/run"), Path("/b/Run"), Path("/c/run")])
    assert names == ["run", "Run-2", "run-3"]


def test_a_run_folder_of_any_name_gets_one_that_a_link_can_hold() -> None:
    assert run_names([Path("/a/my run: 100 %")]) == ["my-run-100"]

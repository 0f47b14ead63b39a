import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.reporting.frames import ATTEMPTS, TURNS, load_frames
from evalkit.reporting.tables import inert, write_tables
from evalkit.types import Outcome
from tests.doubles.tasks import make_result
from tests.unit.reporting.conftest import WriteRun, turn

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", "\uff1d1")


def _cells(folder: Path, name: str) -> list[str]:
    with (folder / "attempts.csv").open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def _write(folder: Path) -> Path:
    write_tables(load_frames(folder), folder)
    return folder


@pytest.mark.row("H3")
@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_begins_a_formula(formula: str, write_run: WriteRun) -> None:
    folder = _write(write_run([make_result(repo=formula, reason=formula)]))
    assert _cells(folder, "repo")[0] == f"'{formula}"


@pytest.mark.row("H3")
@given(st.text())
def test_without_its_mark_a_cell_is_what_it_was(text: str) -> None:
    cell = inert(text)
    assert isinstance(cell, str)
    assert (cell[1:] if cell.startswith("'") else cell) == text


@pytest.mark.parametrize("number", [-1, -0.5])
def test_a_number_below_zero_is_no_formula(number: float) -> None:
    assert inert(number) == number


def test_the_csv_has_a_row_an_attempt_and_a_column_a_fact(write_run: WriteRun) -> None:
    folder = _write(write_run([make_result(outcome=Outcome.RESOLVED)]))
    assert pd.read_csv(folder / "attempts.csv").shape == (2, len(ATTEMPTS))


def test_parquet_holds_texts_as_they_are(write_run: WriteRun) -> None:
    folder = _write(write_run([make_result(repo="=1+1")]))
    assert pd.read_parquet(folder / "attempts.parquet")["repo"][0] == "=1+1"


def test_turns_are_in_a_file_of_their_own(write_run: WriteRun) -> None:
    folder = _write(
        write_run([make_result()], turns=[turn(1, 2, 3, turn=1), turn(3, 4, 5, turn=2)])
    )
    turns = pd.read_parquet(folder / "turns.parquet")
    assert (list(turns.columns), list(turns["completion_tokens"])) == (list(TURNS), [3, 5])


def test_a_turn_that_is_damaged_is_left_out(write_run: WriteRun) -> None:
    damaged = {"kind": "turn", "t0": "x", "t1": 2, "usage": "y"}
    folder = _write(write_run([make_result()], turns=[damaged, turn(3, 4, 5, turn=2)]))
    assert len(pd.read_parquet(folder / "turns.parquet")) == 1


@pytest.mark.row("H9")
@pytest.mark.parametrize("name", ["reason", "error"])
def test_a_table_names_no_path_of_the_host(name: str, write_run: WriteRun) -> None:
    folder = _write(write_run([make_result(**{name: "cannot write /home/jane/x/y: full"})]))
    assert _cells(folder, name)[0] == "cannot write …/y: full"

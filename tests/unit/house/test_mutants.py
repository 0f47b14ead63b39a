"""The list of defences that can be turned off fits the code as it is."""

import ast
import re

import pytest

from tests.mutants import CHECKOUT, Edit, Ended, Mutant, load, survivors

MUTANTS = load()
EDITS = [edit for mutant in MUTANTS for edit in mutant.edits]
TESTS = sorted({test for mutant in MUTANTS for test in mutant.tests})


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.text.strip()[:40])
def test_a_text_stands_once_in_its_file(edit: Edit) -> None:
    assert (CHECKOUT / edit.file).read_text("utf-8").count(edit.text) == 1


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.defence)
def test_what_is_left_is_still_a_program(mutant: Mutant) -> None:
    for name in {edit.file for edit in mutant.edits if edit.file.endswith(".py")}:
        text = (CHECKOUT / name).read_text("utf-8")
        for edit in mutant.edits:
            text = text.replace(edit.text, edit.without) if edit.file == name else text
        ast.parse(text)


@pytest.mark.parametrize("test", TESTS)
def test_a_named_test_is_there(test: str) -> None:
    path, _, rest = test.partition("::")
    name = rest.partition("[")[0]
    assert re.search(rf"^def {name}\(", (CHECKOUT / path).read_text("utf-8"), re.MULTILINE)


def test_every_defence_has_a_name_of_its_own() -> None:
    assert len({mutant.defence for mutant in MUTANTS}) == len(MUTANTS)


def test_a_mutant_that_no_test_of_its_row_notices_survives() -> None:
    mutant = MUTANTS[0].model_copy(update={"rows": ("A1", "A2")})
    ended = [
        Ended("x", frozenset({"A1"}), passed=False),
        Ended("y", frozenset({"A2"}), passed=True),
    ]
    assert survivors(mutant, ended) == ["A2"]

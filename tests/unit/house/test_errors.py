import inspect
import re

import pytest

from evalkit import errors
from evalkit.errors import EvalkitError

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, EvalkitError)
]
DOCUMENTED = {
    name: int(code)
    for name, code in re.findall(r"─ (\w+) +\(exit (\d+)\)", inspect.getdoc(errors) or "")
}


@pytest.mark.parametrize("error", CLASSES)
def test_an_error_class_stands_in_the_tree_of_the_modules_page(error: type[EvalkitError]) -> None:
    assert re.search(rf"\b{error.__name__}\b", inspect.getdoc(errors) or "")


@pytest.mark.parametrize("error", CLASSES)
def test_an_error_class_says_which_boundary_failed(error: type[EvalkitError]) -> None:
    assert error.__doc__


@pytest.mark.parametrize("error", EvalkitError.__subclasses__())
def test_an_error_ends_the_program_with_the_code_documented(error: type[EvalkitError]) -> None:
    assert error.exit_code == DOCUMENTED[error.__name__]


def test_an_error_carries_its_hint_apart_from_its_cause() -> None:
    error = EvalkitError("the disk is full", hint="evalkit clean")
    assert (str(error), error.hint) == ("the disk is full", "evalkit clean")

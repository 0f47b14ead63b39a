"""A predictions file: what is right is read, each of the rest is named."""

import contextlib
import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.agents.predictions import Predictions, predictions_agent, read_predictions
from evalkit.errors import ConfigError
from evalkit.protocols import Sandbox
from tests.doubles.tasks import make_task

KNOWN = ("alpha", "beta", "gamma-delta")
GOOD = {"instance_id": "alpha", "model_patch": "good\n"}


def read(content: object, folder: Path) -> Predictions:
    """What is read from a file of this JSON, or of this text or these bytes as they are."""
    file = folder / "preds"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_predictions(file, KNOWN)


def lines(*entries: object) -> str:
    return "".join(json.dumps(entry) + "\n" for entry in entries)


FORMS: dict[str, object] = {
    "a list": [GOOD, {"instance_id": "beta", "model_patch": "b"}],
    "a list in Pro form": [
        {"instance_id": "alpha", "patch": "good\n", "prefix": "m"},
        {"instance_id": "beta", "patch": "b", "prefix": "m"},
    ],
    "an object of patches": {"alpha": "good\n", "beta": "b"},
    "an object of entries": {"alpha": GOOD, "beta": {"model_patch": "b"}},
    "lines": lines(GOOD, {"instance_id": "beta", "model_patch": "b"}),
    "lines with blank ones": "\n"
    + lines(GOOD)
    + "\n"
    + lines({"instance_id": "beta", "patch": "b"}),
    "lines ended as on Windows": lines(GOOD, {"instance_id": "beta", "patch": "b"}).replace(
        "\n", "\r\n"
    ),
    "after a byte order mark": "\ufeff" + lines(GOOD, {"instance_id": "beta", "patch": "b"}),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(form: str, tmp_path: Path) -> None:
    predictions = read(FORMS[form], tmp_path)
    assert predictions.patches == {("alpha", 1): "good\n", ("beta", 1): "b"}


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_wrong_with_any_form(form: str, tmp_path: Path) -> None:
    assert read(FORMS[form], tmp_path).problems == ()


def test_a_single_entry_is_a_file(tmp_path: Path) -> None:
    assert read(GOOD, tmp_path).patches == {("alpha", 1): "good\n"}


def test_model_patch_wins(tmp_path: Path) -> None:
    entry = {"instance_id": "alpha", "patch": "lost", "model_patch": "won"}
    assert read([entry], tmp_path).patches["alpha", 1] == "won"


def test_null_is_the_empty_patch(tmp_path: Path) -> None:
    assert read([{"instance_id": "alpha", "patch": None}], tmp_path).patches["alpha", 1] == ""


@pytest.mark.parametrize(("key", "values"), [("attempt", (1, 2)), ("prefix", ("one", "two"))])
def test_attempts_of_a_task_are_told_apart(
    key: str, values: tuple[object, object], tmp_path: Path
) -> None:
    entries = [{"instance_id": "alpha", "patch": f"{value}", key: value} for value in values]
    patches = {("alpha", 1): f"{values[0]}", ("alpha", 2): f"{values[1]}"}
    assert read(entries, tmp_path).patches == patches


def test_the_model_is_named(tmp_path: Path) -> None:
    assert read([{**GOOD, "model_name_or_path": "some-model"}], tmp_path).model == "some-model"


def test_two_models_are_none(tmp_path: Path) -> None:
    entries = [
        {**GOOD, "model_name_or_path": "one"},
        {"instance_id": "beta", "patch": "b", "model_name_or_path": "two"},
    ]
    assert read(entries, tmp_path).model is None


WRONG: dict[str, tuple[Any, str]] = {
    "unknown id": ({"instance_id": "gama-delta", "patch": ""}, "did you mean 'gamma-delta'?"),
    "no id": ({"patch": ""}, "line 2: has no instance_id"),
    "id of another type": ({"instance_id": ["alpha"], "patch": ""}, "instance_id should be text"),
    "no patch": ({"instance_id": "beta"}, "line 2: has neither model_patch nor patch"),
    "patch of another type": ({"instance_id": "beta", "patch": 3}, "patch should be text, not a n"),
    "no object": (["beta", "patch"], "line 2: should be an object, not a list"),
    "duplicate": (GOOD, "alpha has an attempt 1 already; the first is kept"),
    "attempt 0": ({"instance_id": "beta", "patch": "", "attempt": 0}, "attempt should be a whole"),
    "attempt true": ({"instance_id": "beta", "patch": "", "attempt": True}, "attempt should be"),
    "attempt of a million": ({"instance_id": "beta", "patch": "", "attempt": 10**6}, "1 to 1000"),
    "prefix of another type": ({"instance_id": "beta", "patch": "", "prefix": {}}, "an object"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named(what: str, tmp_path: Path) -> None:
    entry, told = WRONG[what]
    (problem,) = read(lines(GOOD, entry), tmp_path).problems
    assert told in problem


@pytest.mark.parametrize("what", WRONG)
def test_what_is_right_beside_it_is_read(what: str, tmp_path: Path) -> None:
    assert read(lines(GOOD, WRONG[what][0]), tmp_path).patches == {("alpha", 1): "good\n"}


@pytest.mark.parametrize("line", ["{'alpha'", "[" * 100_000, '{"instance_id": "beta", "patch": "'])
def test_a_line_that_is_not_json_is_named_by_its_number(line: str, tmp_path: Path) -> None:
    (problem,) = read(f"{lines(GOOD)}{line}\n", tmp_path).problems
    assert problem.startswith("line 2: is not JSON")


def test_a_task_that_stands_twice_in_an_object_is_named(tmp_path: Path) -> None:
    (problem,) = read('{"alpha": "first", "alpha": "second"}', tmp_path).problems
    assert problem == "the file: 'alpha' stands twice in one object; the first is kept"


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000, "NaN", "1e999"])
def test_a_strange_number_elsewhere_does_no_harm(number: str, tmp_path: Path) -> None:
    text = f'[{{"instance_id": "alpha", "patch": "p", "cost": {number}}}]'
    assert read(text, tmp_path).patches == {("alpha", 1): "p"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"[[[",
        b'[{"instance_id": "alpha", "patch": "cut o',
        b"\xff\xfe\0",
    ],
)
def test_a_file_with_nothing_right_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        read(content, tmp_path)


def test_a_list_cut_off_is_refused_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"not JSON.*line 2"):
        read('[{"instance_id": "alpha", "patch": "p"},\n {"instance_id"', tmp_path)


def test_a_file_of_other_tasks_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'beta'"):
        read([{"instance_id": "betta", "patch": "p"}], tmp_path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        read_predictions(tmp_path / "nowhere", KNOWN)


def submitted(patches: dict[tuple[str, int], str], attempt: int = 1) -> str:
    def no_sandbox() -> contextlib.AbstractContextManager[Sandbox]:
        raise AssertionError

    agent = predictions_agent(patches)
    return agent.solve(make_task(id="alpha"), attempt, no_sandbox, print).patch


def test_the_agent_submits_the_patch_as_it_is() -> None:
    assert submitted({("alpha", 1): "a\r\n\0"}) == "a\r\n\0"


def test_an_attempt_without_prediction_submits_nothing() -> None:
    assert submitted({("alpha", 1): "patch"}, attempt=2) == ""


@pytest.mark.parametrize("patch", [b'"\\ud800"', b'"\xff"'])
def test_a_patch_that_is_not_unicode_is_named(patch: bytes, tmp_path: Path) -> None:
    (problem,) = read(b'{"alpha": ' + patch + b"}", tmp_path).problems
    assert problem.endswith("the patch of alpha is not Unicode, so it does not apply")


@pytest.mark.parametrize("patch", [b'"\\ud800"', b'"\xff"'])
def test_a_patch_that_is_not_unicode_is_submitted_as_a_note(patch: bytes, tmp_path: Path) -> None:
    predictions = read(b'{"alpha": ' + patch + b"}", tmp_path)
    assert "not Unicode" in submitted(dict(predictions.patches))


patches = st.dictionaries(st.sampled_from(KNOWN), st.text(), min_size=1)


@given(patches)
def test_a_patch_is_never_changed(
    tmp_path_factory: pytest.TempPathFactory, predicted: dict[str, str]
) -> None:
    entries = [{"instance_id": name, "model_patch": text} for name, text in predicted.items()]
    file = tmp_path_factory.getbasetemp() / "unchanged"
    for text in (json.dumps(entries), json.dumps(predicted, ensure_ascii=False), lines(*entries)):
        file.write_bytes(text.encode())
        assert read_predictions(file, KNOWN).patches == {(k, 1): v for k, v in predicted.items()}


keys = st.sampled_from([*KNOWN, "instance_id", "model_patch", "patch", "prefix", "attempt"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(KNOWN)
anything = st.recursive(
    scalars | st.text(alphabet=string.printable + "\ud800\u2028"),
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
)


@given(anything)
def test_any_json_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: object
) -> None:
    folder = tmp_path_factory.getbasetemp()
    with contextlib.suppress(ConfigError):
        read(json.dumps(content).encode(), folder)


@given(st.binary() | st.text(alphabet='{}[]":,alph\n0').map(str.encode))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    with contextlib.suppress(ConfigError):
        read(content, tmp_path_factory.getbasetemp())

from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from junitparser import Error, Failure, JUnitXml

from evalkit.reporting.load import salvage_run
from evalkit.reporting.run_junit import junit
from evalkit.suites.junit import read_statuses
from evalkit.types import Outcome, TestStatus
from tests.doubles.tasks import make_result
from tests.unit.reporting.conftest import WriteRun

FAILURES = set(Outcome) - {Outcome.RESOLVED, Outcome.INFRA_ERROR}


def _xml(folder: Path) -> bytes:
    return junit(salvage_run(folder))


def _first(folder: Path) -> Element:
    case = fromstring(_xml(folder)).find(".//testcase")
    assert case is not None
    return case


def test_each_attempt_is_a_case(write_run: WriteRun) -> None:
    root = fromstring(_xml(write_run([make_result(), make_result(attempt=2)], attempts=2)))
    assert [case.attrib["name"] for case in root.iter("testcase")] == [
        "demo attempt 1", "demo attempt 2", "other attempt 1", "other attempt 2",
    ]  # fmt: skip


def test_resolved_is_a_pass(write_run: WriteRun) -> None:
    assert list(_first(write_run([make_result(outcome=Outcome.RESOLVED)]))) == []


@pytest.mark.parametrize("outcome", sorted(FAILURES))
def test_what_the_agent_did_not_manage_is_a_failure(outcome: Outcome, write_run: WriteRun) -> None:
    (told,) = _first(write_run([make_result(outcome=outcome, reason="because")]))
    assert (told.tag, told.attrib) == (
        "failure",
        {"type": outcome, "message": f"{outcome}: because"},
    )


def test_an_infra_error_is_an_error(write_run: WriteRun) -> None:
    (told,) = _first(write_run([make_result(outcome=Outcome.INFRA_ERROR, error="no daemon")]))
    assert (told.tag, told.attrib["message"]) == ("error", "infra_error: no daemon")


def test_an_attempt_without_a_result_is_an_error(write_run: WriteRun) -> None:
    (told,) = _first(write_run())
    assert (told.tag, told.attrib["message"]) == ("error", "unfinished: it has no result")


def test_the_usual_reader_finds_the_same(write_run: WriteRun) -> None:
    results = [
        make_result(outcome=Outcome.RESOLVED),
        make_result(task_id="other", flags=("edited_ci",)),
    ]
    (suite,) = JUnitXml.fromstring(_xml(write_run(results)))
    told = [[type(one) for one in case.result] for case in suite]
    assert (suite.tests, suite.failures, suite.errors, told) == (2, 1, 0, [[], [Failure]])


def test_the_usual_reader_finds_errors(write_run: WriteRun) -> None:
    (suite,) = JUnitXml.fromstring(_xml(write_run()))
    assert (suite.errors, [type(one) for case in suite for one in case.result]) == (2, [Error] * 2)


def test_our_own_reader_of_pytests_form_takes_it(write_run: WriteRun) -> None:
    statuses = read_statuses(_xml(write_run([make_result(outcome=Outcome.RESOLVED)])))
    assert sorted(statuses.values()) == [TestStatus.ERROR, TestStatus.PASSED]


@pytest.mark.parametrize("strange", ["\x00", "\x1b[31m", "\ufffe", "]]>", "<x>&"])
def test_characters_that_xml_has_not_are_shown_as_signs(strange: str, write_run: WriteRun) -> None:
    assert len(_first(write_run([make_result(reason=strange, repo=strange)]))) == 1


def test_seconds_are_rollout_and_grading(write_run: WriteRun) -> None:
    assert _first(write_run([make_result(wall_s=2.0, grade_s=0.5)])).attrib["time"] == "2.500"

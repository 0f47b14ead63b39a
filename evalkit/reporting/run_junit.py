"""A run as JUnit XML: what CI pages read."""

from xml.etree.ElementTree import Element, SubElement, tostring

from evalkit.reporting.host_paths import without_host_paths
from evalkit.reporting.html.overview import Row, rows
from evalkit.reporting.html.text import visible
from evalkit.reporting.run import Run
from evalkit.types import Outcome, Result


def junit(run: Run) -> bytes:
    """Return JUnit XML (the form pytest writes as xunit2): a case an attempt.

    Resolved is a pass, an infra error and an attempt without a result are errors, all else a
    failure that says its outcome and why.
    """
    table = list(rows(run))
    name = visible(without_host_paths(f"{run.manifest.get('suite', 'run')}"))
    errors = sum(row.outcome in {"unfinished", Outcome.INFRA_ERROR} for row in table)
    resolved = sum(row.outcome == Outcome.RESOLVED for row in table)
    counts = {
        "name": name,
        "tests": str(len(table)),
        "failures": str(len(table) - errors - resolved),
        "errors": str(errors),
        "skipped": "0",
        "time": f"{sum(row.seconds for row in table):.3f}",
    }
    suites = Element("testsuites")
    suite = SubElement(suites, "testsuite", counts)
    for row in table:
        _add_case(suite, row, several=run.attempts > 1)
    text: bytes = tostring(suites, encoding="utf-8", xml_declaration=True)
    return text


def _add_case(suite: Element, row: Row, *, several: bool) -> None:
    number = f" attempt {row.attempt}" if several else ""
    case = SubElement(
        suite,
        "testcase",
        {
            "classname": visible(row.result.repo) if row.result else suite.attrib["name"],
            "name": visible(row.task_id) + number,
            "time": f"{row.seconds:.3f}",
        },
    )
    if row.outcome == Outcome.RESOLVED:
        return
    is_error = row.outcome in {"unfinished", Outcome.INFRA_ERROR}
    why = _why(row.result) if row.result else "it has no result"
    told = SubElement(case, "error" if is_error else "failure", {"type": row.outcome})
    told.set("message", f"{row.outcome}: {why}" if why else row.outcome)
    if row.result and row.result.flags:
        told.text = f"flags: {', '.join(row.result.flags)}"


def _why(result: Result) -> str:
    return visible(without_host_paths(result.reason or result.error))

"""Options: `--rows`, the table of attacks and faults as it was really run, and `--kills`."""

from collections.abc import Iterator

import pytest

from tests.rows import ROW, table


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", action="store_true", help="end with the table of rows")
    parser.addoption("--kills", type=int, default=20, help="how often runs are killed")


@pytest.hookimpl(tryfirst=True)  # before `-m row` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and (found := ROW.match(callspec.id)):
            item.add_marker(pytest.mark.row(found[1]))
        item.user_properties += [("row", row) for row in _marked(item)]


def _marked(item: pytest.Item) -> Iterator[str]:
    for mark in item.iter_markers("row"):
        yield from mark.args


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not config.getoption("rows"):
        return
    ended: dict[tuple[str, str], bool] = {}
    for report in _reports(terminalreporter):
        for kind, row in report.user_properties:
            if kind == "row":
                key = (report.nodeid, str(row))
                ended[key] = ended.get(key, True) and report.passed
    terminalreporter.section("rows of the table of attacks and faults")
    terminalreporter.write_line("\n".join(table((row, well) for (_, row), well in ended.items())))


def _reports(terminalreporter: pytest.TerminalReporter) -> Iterator[pytest.TestReport]:
    for reports in terminalreporter.stats.values():
        yield from (one for one in reports if isinstance(one, pytest.TestReport))

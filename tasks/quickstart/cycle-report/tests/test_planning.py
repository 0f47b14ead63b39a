import pytest

from taskgraph import CycleError, UnknownTaskError, affected_by, order, parse_graph, waves

PROJECT = """
fetch:
lint: fetch
build: fetch
test: build
docs: fetch
release: test lint docs
"""


def test_waves():
    assert waves(parse_graph(PROJECT)) == [
        ["fetch"],
        ["lint", "build", "docs"],
        ["test"],
        ["release"],
    ]


def test_order():
    assert order(parse_graph(PROJECT)) == ["fetch", "lint", "build", "docs", "test", "release"]


def test_nothing_to_plan():
    assert waves(parse_graph("")) == []


def test_unknown_dependency():
    with pytest.raises(UnknownTaskError) as caught:
        order(parse_graph("test: build"))
    assert (caught.value.task, caught.value.dependency) == ("test", "build")


@pytest.mark.parametrize("plan", [order, waves])
def test_cycle_is_refused(plan):
    with pytest.raises(CycleError):
        plan(parse_graph("build: test\ntest: build"))


def test_cycle_is_named():
    with pytest.raises(CycleError, match="build -> test"):
        order(parse_graph("build: test\ntest: build"))


def test_affected():
    assert affected_by(parse_graph(PROJECT), ["build"]) == ["build", "test", "release"]


def test_affected_by_unknown_task():
    assert affected_by(parse_graph(PROJECT), ["coffee"]) == []

from itertools import pairwise

import pytest

from taskgraph import (
    CycleError,
    TaskGraph,
    UnknownTaskError,
    affected_by,
    order,
    parse_graph,
    waves,
)

BEFORE_AND_AFTER = """
fetch: mirror
mirror: config
config: fetch settings
settings:
build: fetch
deploy: build
"""


def reported_cycle(graph, plan=order):
    with pytest.raises(CycleError) as caught:
        plan(graph)
    return caught.value.cycle


def is_cycle(graph, tasks):
    """Whether each task depends on the next one and the walk ends where it began."""
    steps = pairwise(tasks)
    closed = len(tasks) > 1 and tasks[0] == tasks[-1]
    return closed and all(after in graph.dependencies(before) for before, after in steps)


@pytest.mark.parametrize("plan", [order, waves])
def test_only_the_cycle_is_named(plan):
    cycle = reported_cycle(parse_graph(BEFORE_AND_AFTER), plan)
    assert set(cycle) == {"fetch", "mirror", "config"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(BEFORE_AND_AFTER, id="before-and-after"),
        pytest.param("a: b\nb: a", id="two"),
        pytest.param("a: a", id="itself"),
        pytest.param("a:\nb: a b\nc: b", id="itself-in-between"),
        pytest.param("a: b\nb: a\nc: d\nd: c", id="two-cycles"),
        pytest.param("a: b c\nb: d\nc: d\nd: c", id="way-in"),
        pytest.param("a: b\nb: c\nc: b d\nd: e\ne: d a", id="shared-tasks"),
        pytest.param("z: y\ny: x\nx: z\na: z", id="against-the-alphabet"),
    ],
)
def test_each_task_depends_on_the_next(text):
    graph = parse_graph(text)
    cycle = reported_cycle(graph)
    assert is_cycle(graph, cycle), cycle


def test_no_task_is_named_twice_but_the_first():
    cycle = reported_cycle(parse_graph(BEFORE_AND_AFTER))
    assert len(set(cycle)) == len(cycle) - 1


def test_message_shows_the_cycle():
    graph = parse_graph("a: a\nb: a")
    with pytest.raises(CycleError, match=r"a -> a$"):
        order(graph)


def test_affected_by_names_the_cycle():
    graph = parse_graph("a: b\nb: a\nc: a")
    cycle = reported_cycle(graph, lambda graph: affected_by(graph, ["c"]))
    assert is_cycle(graph, cycle), cycle


def test_long_cycle_in_a_large_graph():
    graph = TaskGraph()
    for number in range(2000):
        graph.add(f"ring-{number}", [f"ring-{(number + 1) % 2000}"])
    for number in range(3000):
        graph.add(f"after-{number}", [f"after-{number - 1}" if number else "ring-7"])
    cycle = reported_cycle(graph)
    assert len(cycle) == 2001
    assert is_cycle(graph, cycle)


def test_diamond_is_no_cycle():
    assert order(parse_graph("a:\nb: a\nc: a\nd: b c")) == ["a", "b", "c", "d"]


def test_unknown_dependency_comes_before_the_cycle():
    with pytest.raises(UnknownTaskError):
        order(parse_graph("a: b\nb: a nowhere"))

import json
from xml.etree import ElementTree as ET

import pytest

from evalkit.reporting.compare import Comparison, compare
from evalkit.reporting.comparison_junit import comparison_junit
from evalkit.reporting.comparison_text import as_json, markdown, text_lines
from evalkit.reporting.gate import Decision, Limits, decide
from evalkit.reporting.side import Side
from tests.doubles.sides import side

ONE, NONE, LOST = (1, 1), (0, 1), (0, 1, 1)
BASE = side("runs/base", [ONE] * 20 + [NONE] * 20, completion_tokens=100, busy_s=10)
WORSE = side("runs/new", [ONE] * 12 + [NONE] * 27 + [ONE])
A_LITTLE_WORSE = side("runs/new", [ONE] * 18 + [NONE] * 22)

Compared = tuple[Comparison, Decision]


def compared(candidate: Side = WORSE, base: Side = BASE, *, mismatch: bool = False) -> Compared:
    comparison = compare(base, [candidate], alpha=0.05, allow_mismatch=mismatch)
    return comparison, decide(comparison, Limits())


def told(*sides: Side) -> str:
    return "\n".join(" ".join(line.split()) for line in text_lines(*compared(*sides)))


@pytest.mark.parametrize(
    "line",
    [
        "answer FAILED (exit code 1)",
        "because the score dropped by 17.5 points, more than 2; one-sided p = 0.02 < 0.05 "
        "(exact McNemar)",
        "tasks 40 compared",
        "flips 8 resolved by the base alone, 1 by the candidate alone; exact McNemar two-sided "
        "p = 0.039",
        "can see a true drop of 18.6 points or more, in 80 % of comparisons",
    ],
)
def test_the_answer_and_what_it_rests_on_have_their_lines(line: str) -> None:
    assert line in told().splitlines()


@pytest.mark.parametrize(
    "words",
    [
        "base runs/base (m): 20 of 40 attempts, 50.0% (95 % interval 35.2% to 64.8%; by repository",
        "busy_tok_s 10.0",
        "difference -17.5 points (95 % interval ",
        "paired bootstrap over 8 repositories",
        "points without r7, ",
    ],
)
def test_scores_and_their_difference_are_told_with_intervals(words: str) -> None:
    assert words in told()


def test_an_interval_of_no_width_is_not_shown() -> None:
    nothing = side("runs/nothing", [NONE] * 40)
    assert "by repository" not in told(nothing, nothing)


def test_what_would_decide_is_told_where_it_is_open() -> None:
    line = (
        "to decide about 124 tasks at these attempts; of attempts no number is known that would do"
    )
    assert line in told(A_LITTLE_WORSE).splitlines()


@pytest.mark.row("I1")
def test_lost_attempts_are_told() -> None:
    lost = side("runs/new", [ONE] * 25 + [NONE] * 13 + [LOST] * 2)
    assert "25 of 40 attempts, 2 lost to infrastructure or unfinished, 62.5%" in told(lost)


def test_tasks_of_one_side_alone_are_told() -> None:
    assert "tasks 39 compared, 1 only in the base" in told(side("runs/new", [ONE] * 39))


def test_few_tasks_are_said_to_see_nothing() -> None:
    few = side("runs/few", [ONE] * 3)
    assert "can see no drop at all: the tasks are too few" in told(few, few)


def test_attempts_that_are_all_alike_are_said_to_show_no_scatter() -> None:
    alike = side("runs/alike", [(3, 3)] * 30)
    assert "can see unknown: the attempts show no scatter to reckon with" in told(alike, alike)


def test_caveats_have_a_line_each() -> None:
    warned = WORSE.model_copy(update={"caveats": ("mind this", "and that")})
    assert {"caveat mind this", "caveat and that"} <= set(told(warned).splitlines())


NEWER = WORSE.model_copy(update={"revision": "2"})
MARK = "revisions differ, unchanged tasks only"


def test_over_two_revisions_every_line_says_so() -> None:
    lines = text_lines(*compared(NEWER, mismatch=True))
    assert [line for line in lines if not line.startswith(f"[{MARK}] ")] == []


def test_so_does_every_line_of_the_page() -> None:
    lines = markdown(*compared(NEWER, mismatch=True)).splitlines()
    layout = {"", "| what | told |", "|---|---|"}
    assert [line for line in lines if line not in layout and MARK not in line] == []


def test_so_does_every_case() -> None:
    cases = ET.fromstring(comparison_junit(*compared(NEWER, mismatch=True))).iter("testcase")
    assert [case for case in cases if MARK not in case.attrib["classname"]] == []


def test_so_does_what_machines_read() -> None:
    assert as_json(*compared(NEWER, mismatch=True))["mark"] == MARK


def test_the_page_lists_what_flipped() -> None:
    page = markdown(*compared())
    assert "### Won: 1\n\n- `t39`: base 0 of 1, candidate 1 of 1\n" in page


def test_the_page_lists_each_task_that_was_lost() -> None:
    assert markdown(*compared()).count("candidate 0 of 1") == 8


@pytest.mark.row("H1")
def test_a_name_is_no_markup_of_the_page() -> None:
    odd = WORSE.model_copy(update={"model": "<script>a|b</script>"})
    assert "(&lt;script&gt;a&#124;b&lt;/script&gt;)" in markdown(*compared(odd))


def test_machines_get_it_as_json() -> None:
    found = json.loads(json.dumps(as_json(*compared())))
    assert (found["answer"], found["exit_code"], found["mcnemar"]["losses"]) == ("failed", 1, 8)


def test_with_every_task() -> None:
    tasks = as_json(*compared())["tasks"]
    assert isinstance(tasks, list)
    assert [one["flip"] for one in tasks if isinstance(one, dict)].count("lost") == 8


def test_each_task_is_a_case_of_its_repository() -> None:
    cases = list(ET.fromstring(comparison_junit(*compared())).iter("testcase"))
    assert [(case.get("classname"), case.get("name")) for case in cases[:2]] == [
        ("r0", "t00"),
        ("r1", "t01"),
    ]


@pytest.mark.parametrize(("flip", "count"), [("won", 1), ("lost", 8), ("none", 31)])
def test_each_case_says_how_it_flipped(flip: str, count: int) -> None:
    properties = ET.fromstring(comparison_junit(*compared())).iter("property")
    assert [one.get("value") for one in properties if one.get("name") == "flip"].count(
        flip
    ) == count


def test_where_the_gate_fails_lost_tasks_are_failures() -> None:
    [suite] = ET.fromstring(comparison_junit(*compared()))
    assert (suite.get("failures"), len(list(suite.iter("failure")))) == ("8", 8)


def test_where_it_does_not_nothing_is_a_failure() -> None:
    [suite] = ET.fromstring(comparison_junit(*compared(A_LITTLE_WORSE)))
    assert (suite.get("failures"), list(suite.iter("failure"))) == ("0", [])


def test_a_flip_has_its_counts() -> None:
    texts = [one.text for one in ET.fromstring(comparison_junit(*compared())).iter("system-out")]
    assert texts == ["won: base 0 of 1, candidate 1 of 1"]


def test_the_file_says_the_answer() -> None:
    [suite] = ET.fromstring(comparison_junit(*compared()))
    facts = {one.get("name"): one.get("value") for one in suite.iterfind("properties/property")}
    assert facts["answer"] == "failed"


@pytest.mark.row("H1")
def test_what_xml_cannot_hold_is_replaced() -> None:
    tasks = {"t\x00<b>": next(iter(BASE.tasks.values()))}
    odd = BASE.model_copy(update={"tasks": tasks})
    [case] = ET.fromstring(comparison_junit(*compared(odd, odd))).iter("testcase")
    assert case.get("name") == "t\N{REPLACEMENT CHARACTER}<b>"

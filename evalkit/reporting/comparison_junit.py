"""A comparison as JUnit XML: one case a task."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from evalkit.reporting.compare import Comparison, Flip, flip
from evalkit.reporting.comparison_text import counts
from evalkit.reporting.gate import Answer, Decision
from evalkit.stats import TaskPair


def comparison_junit(comparison: Comparison, decision: Decision) -> bytes:
    """Return the file's content.

    Each case has a property `flip`: won, lost or none. A lost task is a failure only where the gate
    fails: by chance some tasks are lost every night.
    """
    failed = decision.answer is Answer.FAILED
    pairs = comparison.pairs.counted
    mark = f" [{comparison.mark}]" if comparison.mark else ""
    suite = Element(
        "testsuite",
        name=_clean(f"{comparison.candidate.name} against {comparison.base.name}{mark}"),
        tests=str(len(pairs)),
        failures=str(comparison.mcnemar.losses if failed else 0),
        errors="0",
        skipped="0",
    )
    facts = SubElement(suite, "properties")
    SubElement(facts, "property", name="answer", value=decision.answer)
    for reason in decision.reasons:
        SubElement(facts, "property", name="because", value=_clean(reason))
    for pair in pairs:
        _case(suite, pair, mark, failed=failed)
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _case(suite: Element, pair: TaskPair, mark: str, *, failed: bool) -> None:
    case = SubElement(
        suite, "testcase", classname=_clean(pair.repo + mark), name=_clean(pair.task_id)
    )
    kind = flip(pair)
    SubElement(SubElement(case, "properties"), "property", name="flip", value=kind)
    told = f"{kind}: {counts(pair)}{mark}"
    if kind is Flip.LOST and failed:
        SubElement(case, "failure", message=told)
    elif kind is not Flip.NONE:
        SubElement(case, "system-out").text = told


def _clean(text: str) -> str:
    """Replace what XML cannot hold."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)

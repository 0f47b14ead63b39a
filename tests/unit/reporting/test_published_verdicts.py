"""The verdicts of nine published runs, where they lie beside the checkout."""

from pathlib import Path

import pytest

from evalkit.reporting.compare import Comparison, compare
from evalkit.reporting.gate import Answer, Limits, decide
from evalkit.reporting.published_runs import catalogue, published_side
from evalkit.reporting.side import Side

VERDICTS = Path(__file__).parents[4] / "shared" / "data" / "published_verdicts"
pytestmark = pytest.mark.skipif(
    not VERDICTS.is_dir(), reason="the verdicts are not beside the checkout"
)


def read(name: str) -> Side:
    return published_side(name, local=VERDICTS, cache=VERDICTS, say=print)


@pytest.fixture(scope="module")
def sonnet_and_gpt5() -> Comparison:
    base = read("claude-45sonnet-10132025")
    return compare(base, [read("gpt-5-250-turns-10132025")], alpha=0.05)


def test_sonnet_45_and_gpt_5_have_729_tasks_in_common(sonnet_and_gpt5: Comparison) -> None:
    assert len(sonnet_and_gpt5.pairs.counted) == 729


def test_sonnet_45_alone_resolves_113_and_gpt_5_alone_59(sonnet_and_gpt5: Comparison) -> None:
    assert (sonnet_and_gpt5.mcnemar.losses, sonnet_and_gpt5.mcnemar.wins) == (113, 59)


def test_exact_mcnemar_says_that_is_no_chance(sonnet_and_gpt5: Comparison) -> None:
    assert sonnet_and_gpt5.mcnemar.p == pytest.approx(4.7e-5, abs=0.05e-5)


def test_as_a_candidate_gpt_5_fails(sonnet_and_gpt5: Comparison) -> None:
    assert decide(sonnet_and_gpt5, Limits()).answer is Answer.FAILED


@pytest.mark.parametrize("name", catalogue().runs)
def test_as_many_instances_were_graded_as_the_catalogue_says(name: str) -> None:
    side = read(name)
    assert f"{len(side.tasks)} of 731 instances" in side.caveats[0]


@pytest.mark.parametrize("name", catalogue().runs)
def test_they_are_of_eleven_repositories(name: str) -> None:
    assert len({tried.repo for tried in read(name).tasks.values()}) == 11

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import ConfigError
from evalkit.reporting.compare import Comparison, Flip, compare, flip
from evalkit.reporting.side import Side
from tests.doubles.sides import side

ONE, NONE = (1, 1), (0, 1)
COUNTS = st.lists(
    st.integers(1, 4).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
    max_size=12,
)


def comparison(base: Side, *candidates: Side, mismatch: bool = False) -> Comparison:
    return compare(base, candidates, alpha=0.05, allow_mismatch=mismatch)


BASE = side("base", [ONE, ONE, NONE, NONE])
OTHER = side("other", [ONE, NONE, ONE, NONE, ONE])


def test_flips_are_counted_from_the_candidates_side() -> None:
    found = comparison(BASE, OTHER)
    assert (found.mcnemar.wins, found.mcnemar.losses) == (1, 1)


def test_each_task_says_how_it_flipped() -> None:
    flips = [flip(pair) for pair in comparison(BASE, OTHER).pairs.counted]
    assert flips == [Flip.NONE, Flip.LOST, Flip.WON, Flip.NONE]


def test_tasks_of_one_side_alone_are_counted_and_left_out() -> None:
    found = comparison(BASE, OTHER)
    assert (len(found.pairs.counted), found.only_base, found.only_candidate) == (4, 0, 1)


def test_a_score_is_over_the_common_tasks() -> None:
    found = comparison(BASE, OTHER).candidate
    assert (found.resolved, found.attempts) == (2, 4)


def test_several_candidates_are_pooled() -> None:
    found = comparison(BASE, OTHER, side("third", [ONE] * 5))
    assert (found.candidate.resolved, found.candidate.attempts) == (6, 8)


def test_a_candidate_named_twice_would_count_twice() -> None:
    with pytest.raises(ConfigError, match=r"named twice.*other"):
        comparison(BASE, OTHER, OTHER)


def test_without_a_common_task_there_is_no_comparison() -> None:
    strange = side("other", [ONE]).model_copy(update={"tasks": {"x": BASE.tasks["t00"]}})
    with pytest.raises(ConfigError, match="base and other have no task in common"):
        comparison(BASE, strange)


@pytest.mark.row("I4")
@given(COUNTS, COUNTS)
def test_swapped_the_estimate_turns_its_sign(
    one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]
) -> None:
    there, back = (
        comparison(side("a", first), side("b", second))
        for first, second in ((one, other), (other, one))
    )
    assert there.difference.estimate == pytest.approx(-back.difference.estimate)


@pytest.mark.row("I1")
def test_lost_attempts_are_counted_and_count_as_not_resolved() -> None:
    found = comparison(BASE, side("other", [ONE, (0, 1, 1), NONE, NONE])).candidate
    assert (found.lost, found.resolved, found.attempts) == (1, 1, 4)


@pytest.mark.row("I1")
@pytest.mark.parametrize(
    ("way", "means"), [("counted", (0.5, 0.0)), ("worst", (1.0, 0.0)), ("best", (0.5, 0.5))]
)
def test_lost_attempts_are_also_counted_for_either_side(
    way: str, means: tuple[float, float]
) -> None:
    found = comparison(side("a", [(1, 2, 1)]), side("b", [(0, 2, 1)]))
    [pair] = getattr(found.pairs, way)
    assert (pair.base.mean, pair.candidate.mean) == means


def test_a_repository_that_one_side_does_not_know_is_told_by_the_other() -> None:
    unknown = {name: one.model_copy(update={"repo": ""}) for name, one in BASE.tasks.items()}
    found = comparison(BASE.model_copy(update={"tasks": unknown}), OTHER)
    assert found.pairs.counted[1].repo == "r1"


def test_a_task_of_unknown_repository_stands_for_itself() -> None:
    unknown = {name: one.model_copy(update={"repo": ""}) for name, one in BASE.tasks.items()}
    lost = BASE.model_copy(update={"tasks": unknown})
    assert comparison(lost, lost).pairs.counted[1].repo == "t01"


def test_the_difference_is_told_without_each_repository() -> None:
    without = comparison(BASE, OTHER).without_repo
    assert without == pytest.approx({"r0": 0, "r1": 100 / 3, "r2": -100 / 3, "r3": 0})


NEWER = OTHER.model_copy(update={"revision": "2"})


@pytest.mark.parametrize("other", [NEWER, OTHER.model_copy(update={"suite": "t"})])
def test_another_suite_or_revision_is_refused(other: Side) -> None:
    with pytest.raises(ConfigError, match="not of one suite and revision") as caught:
        comparison(BASE, other)
    assert "--allow-revision-mismatch" in caught.value.hint


def test_pooled_candidates_of_two_revisions_are_refused() -> None:
    with pytest.raises(ConfigError, match="not of one suite and revision"):
        comparison(BASE, side("first", [ONE]), NEWER)


CHANGED = NEWER.model_copy(
    update={"task_revisions": dict.fromkeys(NEWER.tasks, "same") | {"t01": "changed"}}
)


def test_where_that_is_allowed_unchanged_tasks_are_compared() -> None:
    found = comparison(BASE, CHANGED, mismatch=True)
    assert ([pair.task_id for pair in found.pairs.counted], found.changed) == (
        ["t00", "t02", "t03"],
        1,
    )


def test_and_it_is_marked() -> None:
    assert comparison(BASE, CHANGED, mismatch=True).mark == "revisions differ, unchanged tasks only"


def test_a_task_that_changed_in_one_of_several_candidates_is_left_out() -> None:
    found = comparison(BASE, side("first", [ONE] * 4), CHANGED, mismatch=True)
    assert found.changed == 1


def test_runs_of_one_revision_bear_no_mark_though_it_is_allowed() -> None:
    assert comparison(BASE, OTHER, mismatch=True).mark == ""


def test_of_a_folder_without_revisions_no_task_is_known_to_be_unchanged() -> None:
    old = NEWER.model_copy(update={"task_revisions": {}})
    with pytest.raises(ConfigError, match="no task that is known to be unchanged"):
        comparison(BASE, old, mismatch=True)


PUBLISHED = side("published:x", [ONE] * 4, task_revisions=None, revision="published")


def test_published_verdicts_are_of_another_revision() -> None:
    with pytest.raises(ConfigError, match="not of one suite and revision"):
        comparison(PUBLISHED, OTHER)


def test_where_that_is_allowed_all_their_tasks_are_compared() -> None:
    assert len(comparison(PUBLISHED, OTHER, mismatch=True).pairs.counted) == 4


def test_and_any_may_have_changed() -> None:
    assert "any task may have changed" in comparison(PUBLISHED, OTHER, mismatch=True).mark


def test_two_published_runs_are_of_one_revision() -> None:
    other = PUBLISHED.model_copy(update={"name": "published:y"})
    assert comparison(PUBLISHED, other).mark == ""


def test_caveats_of_both_are_told_once() -> None:
    first = BASE.model_copy(update={"caveats": ("common", "a")})
    second = OTHER.model_copy(update={"caveats": ("common", "b")})
    assert comparison(first, second).caveats == ("common", "a", "b")


def test_other_versions_of_the_judgement_are_a_caveat() -> None:
    newer = OTHER.model_copy(update={"grading": 4})
    assert "different versions" in comparison(BASE, newer).caveats[0]

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from evalkit.types import Outcome, Result, Tally, Usage, Verdict
from tests.doubles.tasks import make_result

COUNTS = st.integers(0, 2**53)


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    total = draw(st.integers(0, 50))
    return Tally(passed=draw(st.integers(0, total)), total=total)


@given(tallies(), tallies())
def test_resolved_can_be_built_only_when_every_test_passed(f2p: Tally, p2p: Tally) -> None:
    try:
        Verdict(outcome=Outcome.RESOLVED, fail_to_pass=f2p, pass_to_pass=p2p)
        built = True
    except ValidationError:
        built = False
    assert built == (f2p.complete and p2p.complete and f2p.total > 0)


@given(st.sampled_from([one for one in Outcome if one is not Outcome.RESOLVED]), tallies())
def test_any_other_outcome_goes_with_any_tally(outcome: Outcome, tally: Tally) -> None:
    verdict = Verdict(outcome=outcome, fail_to_pass=tally, pass_to_pass=tally, reasons=("why",))
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_more_tests_than_there_are_cannot_pass() -> None:
    with pytest.raises(ValidationError, match="3 of 2 tests"):
        Tally(passed=3, total=2)


@given(st.builds(Usage, prompt_tokens=COUNTS, cached_tokens=COUNTS, completion_tokens=COUNTS))
def test_usage_adds_up(usage: Usage) -> None:
    assert usage + usage == Usage(**{key: 2 * value for key, value in usage.model_dump().items()})


@given(st.sampled_from(Outcome), st.none() | st.floats(0, 1e6), st.text())
def test_a_result_comes_back_from_json_equal(
    outcome: Outcome, ttft_s: float | None, error: str
) -> None:
    result = make_result(outcome=outcome, ttft_s=ttft_s, error=error)
    assert Result.model_validate_json(result.model_dump_json()) == result

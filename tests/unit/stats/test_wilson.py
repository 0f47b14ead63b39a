import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from evalkit.config.content import content_root
from evalkit.stats import wilson

COUNTS = st.integers(1, 800).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def leaderboard() -> list[tuple[float, float]]:
    path = content_root() / "reports" / "published" / "scale_leaderboard.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [(float(row["score_pct"]), float(row["margin_pct"])) for row in rows]


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [
        (20, 20, 0.8389, 1.0),
        (0, 20, 0.0, 0.1611),
        (1, 4, 0.0456, 0.6994),
        (1, 2, 0.0945, 0.9055),
    ],
)
def test_values_worked_out_by_hand(passed: int, total: int, low: float, high: float) -> None:
    interval = wilson(passed, total)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("score", "margin"), leaderboard())
def test_half_the_width_is_the_published_margin(score: float, margin: float) -> None:
    # The leaderboard's margins are the normal approximation's over 731 tasks.
    interval = wilson(round(score * 7.31), 731)
    assert (interval.high - interval.low) * 50 == pytest.approx(margin, abs=0.03)


@given(COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_scipy_comes_to_the_same(counts: tuple[int, int], confidence: float) -> None:
    ours = wilson(*counts, confidence=confidence)
    theirs = binomtest(*counts).proportion_ci(confidence, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(COUNTS)
def test_the_interval_holds_the_estimate(counts: tuple[int, int]) -> None:
    interval = wilson(*counts)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


@given(COUNTS)
def test_failures_mirror_passes(counts: tuple[int, int]) -> None:
    passed, total = counts
    assert wilson(passed, total).low == pytest.approx(1 - wilson(total - passed, total).high)


@given(COUNTS)
def test_more_attempts_at_the_same_rate_narrow_it(counts: tuple[int, int]) -> None:
    passed, total = counts
    few, many = wilson(passed, total), wilson(passed * 4, total * 4)
    assert many.high - many.low < few.high - few.low


def test_more_confidence_widens_it() -> None:
    assert wilson(5, 10, confidence=0.99).low < wilson(5, 10, confidence=0.9).low


@pytest.mark.parametrize(("passed", "total"), [(0, 0), (-1, 2), (3, 2)])
def test_counts_that_make_no_rate_are_refused(passed: int, total: int) -> None:
    with pytest.raises(ValueError, match="no pass rate"):
        wilson(passed, total)

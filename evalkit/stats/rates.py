"""A pass rate with its interval, attempts taken as independent."""

from math import sqrt
from statistics import NormalDist

from evalkit.types import Record


class Interval(Record):
    """An estimated share with its confidence interval, each from 0 to 1."""

    estimate: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low


def wilson(passed: int, total: int, *, confidence: float = 0.95) -> Interval:
    """Return a pass rate with its Wilson score interval (Wilson, 1927).

    Raises ValueError unless 0 <= passed <= total and total > 0. The formula stands here because
    loading scipy for it takes 0.9 s and 60 MB.
    """
    if not 0 <= passed <= total or not total:
        raise ValueError(f"{passed} of {total} is no pass rate")
    rate = passed / total
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    spread = 1 + z * z / total
    middle = (rate + z * z / (2 * total)) / spread
    half = z / spread * sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    # At the ends the bound is the rate itself; rounding may put it a hair beside.
    low = 0.0 if passed == 0 else middle - half
    high = 1.0 if passed == total else middle + half
    return Interval(estimate=rate, low=low, high=high)

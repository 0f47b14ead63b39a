"""How often the nightly comparison would catch a true drop, on the 60 tasks of its suite.

    python -m tests.nightly.power [--data DIR] [--nights N]

Each task's chance of being resolved in the baseline is the share of the nine published runs that
solved it; the rule is that of `evalkit compare`, and the attempts are independent draws.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from platformdirs import user_cache_path

from evalkit.stats import simulate_drop
from tests.nightly.choose import choose
from tests.nightly.data import Instance, local, pinned

DROPS = (0, 2, 5, 10, 15)
"""True drops of the score, in points."""
ATTEMPTS = ((1, 1), (3, 3), (5, 5), (5, 3), (5, 9), (5, 21))
"""A task's in the baseline and in the nights pooled; with 3 a night 21 are seven nights."""


def steady(chosen: Sequence[Instance], nights: int) -> Iterator[str]:
    """Lay out in Markdown the percentage of nights that end with 1, and in brackets with 4."""
    yield f"| baseline | nights | {' | '.join(f'{drop} points' for drop in DROPS)} |"
    yield "|---|---|" + "---|" * len(DROPS)
    for base, attempts in ATTEMPTS:
        cells = [_cell(chosen, drop, base, attempts, nights) for drop in DROPS]
        yield f"| {base} | {attempts} | {' | '.join(cells)} |"


def begun(chosen: Sequence[Instance], nights: int) -> Iterator[str]:
    """The same of seven nights pooled, the last few of them after a drop of 10 points."""
    yield f"| nights after the drop | {' | '.join(map(str, range(1, 8)))} |"
    yield "|---|" + "---|" * 7
    cells = [_cell(chosen, 10 * after / 7, 5, 21, nights) for after in range(1, 8)]
    yield f"| red (inconclusive), % | {' | '.join(cells)} |"


def calm(chosen: Sequence[Instance], nights: int) -> Iterator[str]:
    """The same of seven nights pooled without any drop, by what is allowed and the baseline."""
    allowed = (2, 3, 5)
    yield f"| baseline | {' | '.join(f'--max-drop {points}' for points in allowed)} |"
    yield "|---|" + "---|" * len(allowed)
    for base in (5, 10, 20):
        cells = [_cell(chosen, 0, base, 21, nights, max_drop=points) for points in allowed]
        yield f"| {base} | {' | '.join(cells)} |"


def _cell(
    chosen: Sequence[Instance],
    drop: float,
    base: int,
    attempts: int,
    nights: int,
    *,
    max_drop: float = 2,
) -> str:
    caught = simulate_drop(
        [one.share for one in chosen],
        [one.repo for one in chosen],
        drop,
        attempts=attempts,
        base_attempts=base,
        max_drop=max_drop,
        nights=nights,
    )
    return f"{100 * caught.significant:.0f} ({100 * caught.doubtful:.0f})"


def main() -> None:
    """Simulate, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="local lists and verdicts; else they are fetched")
    parser.add_argument("--nights", type=int, default=2_000, help="simulated for each figure")
    asked = parser.parse_args()
    instances = local(asked.data) if asked.data else pinned(user_cache_path("evalkit"))
    chosen = choose(instances)
    for lines in (steady, begun, calm):
        print("\n".join(lines(chosen, asked.nights)), flush=True)


if __name__ == "__main__":
    main()

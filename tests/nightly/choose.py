"""The rule by which the instances of the suite `swebench-pro-nightly` are chosen.

    python -m tests.nightly.choose [--data DIR] [--write]

1. Stable: not in known.csv, no required name that is cut or holds a count, graded in at least eight
   of the nine published runs, and passed by at least two of them.
2. All repositories, and with them all languages: the seats go to repositories in proportion to
   their instances in the whole suite (largest remainders).
3. Spread of difficulty: three bands by the share of the published runs that solved an instance; up
   to a third, up to two thirds, above. The repositories, smallest first, fill their seats one by
   one, each from the band that has fewest chosen so far, over all repositories, of those where
   the repository has instances left; of equal ones the hardest.
4. Fast: within repository and band those come first whose run script is given fewest test files or
   functions, then those with fewest required tests, then by id. No grading times are published.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from platformdirs import user_cache_path

from evalkit.config.content import content_root
from tests.nightly.data import Instance, local, pinned

SEATS = 60
BANDS = ("hard", "medium", "easy")
LIST = content_root() / "tasks" / "swebench-pro-nightly" / "instances.txt"
_HEAD = "# Written by `python -m tests.nightly.choose --write`; the rule stands there.\n"


def choose(instances: Sequence[Instance], seats: int = SEATS) -> list[Instance]:
    """Apply the rule; the chosen ones by id."""
    left = {repo: _queue(instances, repo) for repo in sorted({one.repo for one in instances})}
    chosen: list[Instance] = []
    for repo, count in _seats(instances, seats).items():
        for _ in range(count):
            taken = Counter(map(band, chosen))
            open_bands = {band(one) for one in left[repo]}
            wanted = min(open_bands, key=lambda name: (taken[name], BANDS.index(name)))
            one = next(one for one in left[repo] if band(one) == wanted)
            left[repo].remove(one)
            chosen.append(one)
    return sorted(chosen, key=lambda one: one.id)


def band(instance: Instance) -> str:
    """Name the difficulty of an instance."""
    return BANDS[(instance.share > 1 / 3) + (instance.share > 2 / 3)]


def stable(instance: Instance) -> bool:
    """Whether published runs show that its grading can be passed, and passed again."""
    sound = not instance.known and not instance.inexact
    return sound and instance.graded >= 8 and instance.solved >= 2


def _queue(instances: Iterable[Instance], repo: str) -> list[Instance]:
    mine = [one for one in instances if one.repo == repo and stable(one)]
    return sorted(mine, key=lambda one: (one.entries, one.required, one.id))


def _seats(instances: Sequence[Instance], seats: int) -> Mapping[str, int]:
    """Return each repository's seats, the smallest repository first."""
    sizes = Counter(one.repo for one in instances)
    exact = {repo: seats * size / len(instances) for repo, size in sizes.items()}
    given = {repo: int(share) for repo, share in exact.items()}
    by_remainder = sorted(sizes, key=lambda repo: (given[repo] - exact[repo], repo))
    for repo in by_remainder[: seats - sum(given.values())]:
        given[repo] += 1
    return {repo: given[repo] for repo in sorted(sizes, key=lambda repo: (sizes[repo], repo))}


def table(chosen: Sequence[Instance]) -> list[str]:
    """Lay out the chosen ones by repository and band, in Markdown."""
    lines = [f"| repository | {' | '.join(BANDS)} | all |", "|---|---|---|---|---|"]
    repos = sorted({one.repo for one in chosen})
    for repo in (*repos, "all"):
        bands = [band(one) for one in chosen if repo in {one.repo, "all"}]
        counts = " | ".join(str(bands.count(name)) for name in BANDS)
        lines.append(f"| {repo} | {counts} | {len(bands)} |")
    return lines


def main() -> None:
    """Choose, print the table, and write the list where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="local lists and verdicts; else they are fetched")
    parser.add_argument("--write", action="store_true", help="write the suite's list")
    asked = parser.parse_args()
    instances = local(asked.data) if asked.data else pinned(user_cache_path("evalkit"))
    chosen = choose(instances)
    print("\n".join(table(chosen)))
    print("\nsolved by n of the published runs:", sorted(Counter(o.solved for o in chosen).items()))
    if asked.write:
        LIST.write_text(_HEAD + "".join(f"{one.id}\n" for one in chosen), "utf-8")


if __name__ == "__main__":
    main()

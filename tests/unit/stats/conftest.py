"""Tasks as drawn by Hypothesis, and by hand."""

from collections.abc import Sequence

from hypothesis import strategies as st

from evalkit.stats import TaskPair, TaskTries, pair_up


def tries(task_id: str, resolved: int, attempts: int = 1, repo: str = "r") -> TaskTries:
    return TaskTries(task_id=task_id, repo=repo, resolved=resolved, attempts=attempts)


def paired(*counts: tuple[int, int], attempts: int = 1, repos: int = 1) -> tuple[TaskPair, ...]:
    """Pairs of (base's, candidate's) resolved attempts, spread over so many repositories."""
    sides = [
        [
            tries(f"{number:03}", count[side], attempts, f"r{number % repos}")
            for number, count in enumerate(counts)
        ]
        for side in (0, 1)
    ]
    return pair_up(*sides)


@st.composite
def runs(draw: st.DrawFn, max_size: int = 30) -> Sequence[TaskTries]:
    """Some of forty tasks, of eight repositories, each tried up to six times."""
    numbers = draw(st.sets(st.integers(0, 39), min_size=1, max_size=max_size))
    attempts = [draw(st.integers(1, 6)) for _ in numbers]
    return [
        tries(f"t{number}", draw(st.integers(0, count)), count, f"r{number % 8}")
        for number, count in zip(sorted(numbers), attempts, strict=True)
    ]

"""What a run would take, worked out from its suite, its runner and what others published."""

import csv
from math import ceil
from typing import NamedTuple

from evalkit.config.content import content_root
from evalkit.config.runner import Runner
from evalkit.types import Record, Task


class Line(NamedTuple):
    """One figure and how it is known: measured, published, assumed, or an upper bound."""

    what: str
    figure: str
    basis: str
    source: str = ""


class Range(NamedTuple):
    """From the least to the most that is expected; from 0 where only a bound is known."""

    low: float
    high: float

    def times(self, factor: float) -> "Range":
        """Return as much for each of `factor`."""
        return Range(self.low * factor, self.high * factor)

    def __str__(self) -> str:
        low = f"{_short(self.low)} to" if self.low else "at most"
        return f"{low} {_short(self.high)}"


class Speed(NamedTuple):
    """Output tokens a second of the whole engine, and how that is known."""

    tok_s: float
    basis: str
    source: str = ""


class Planned(Record):
    """A run to be planned, and what this machine says about it."""

    suite: str
    tasks: tuple[Task, ...]
    attempts: int
    runner: Runner
    gpus: tuple[int, float] | None = None
    """How many, and the memory of each in GiB."""
    speed: Speed | None = None
    """Where the user says or measured it; else a published one is looked for."""
    here: int | None = None
    """Images on this machine; None where no Docker answers."""

    @property
    def rollouts(self) -> int:
        """Attempts of all tasks."""
        return len(self.tasks) * self.attempts


def plan_lines(planned: Planned) -> list[Line]:
    """Work out images, tokens and hours."""
    runner = planned.runner
    completion, tokens = _tokens(planned)
    return [
        Line("rollouts", f"{planned.rollouts:,}", f"{len(planned.tasks):,} tasks"),
        Line("model", runner.label, f"TP {runner.engine.tensor_parallel_size}"),
        *_images(planned),
        *tokens,
        *_hours(planned, completion),
    ]


def _images(planned: Planned) -> list[Line]:
    count = len({task.image for task in planned.tasks})
    here = "unknown" if planned.here is None else str(planned.here)
    asked = "unknown: no Docker answers" if planned.here is None else "measured: Docker"
    lines = [Line("images", f"{count}, of them here: {here}", asked)]
    missing = count - (planned.here or 0)
    if all(task.image.startswith("evalkit/") for task in planned.tasks):
        return [*lines, Line("to pull", "none", f"{missing} to build, over one Debian base")]
    size = _effort(planned.suite).get("image")
    if size is None:
        return [*lines, Line("to pull", f"{missing} images", "unknown: no size is published")]
    each, source = size
    side_by_side = planned.runner.concurrency
    kept = min(count, side_by_side.rollouts + side_by_side.gradings + planned.runner.images.pulls)
    basis = f"published: {each} GB an image"
    return [
        *lines,
        Line("to pull", f"{missing} images, {each.times(missing)} GB", basis, source),
        Line("disk", f"{each.times(count)} GB", "the same, less what images share"),
        Line("disk, keep=false", f"{each.times(kept)} GB", f"the same, {kept} at once"),
    ]


def _tokens(planned: Planned) -> tuple[Range, list[Line]]:
    """Return the completion tokens of the run, and the lines about tokens."""
    effort, rows = _effort(planned.suite), _published(planned.suite, "turns")
    turns = _of_model(rows, planned)
    if turns is None or not {"turns", "prompt_tokens", "completion_tokens"} <= effort.keys():
        return _bounds(planned)
    (steps, _), (prompt, source), (completion, _) = (
        effort[name] for name in ("turns", "prompt_tokens", "completion_tokens")
    )
    median = float(turns["median"])
    factor = median * planned.rollouts
    written = Range(completion.low / steps.high, completion.high / steps.low).times(factor)
    # A turn sends all that was said before it: as many tokens as in the published rollouts, which
    # were shorter, or more in proportion to the turns.
    growth = max(1.0, median / steps.low)
    read = Range(prompt.low / steps.high, prompt.high / steps.low * growth).times(factor)
    half = f"published: median; middle half {turns['q1']} to {turns['q3']}"
    basis = "assumed: as many a turn as published for other models"
    return written, [
        Line("turns a rollout", f"{median:g}", half, turns["source"]),
        Line("output tokens", f"{written}", basis, source),
        Line("prompt tokens", f"{read}", "the same, to growing with turns; mostly cached"),
    ]


def _bounds(planned: Planned) -> tuple[Range, list[Line]]:
    runner, turns = planned.runner, planned.runner.limits.turns
    most = turns * runner.sampling.max_tokens
    written = Range(0, min(most, runner.limits.completion_tokens or most) * planned.rollouts)
    read = Range(0, turns * runner.engine.max_model_len * planned.rollouts)
    return written, [
        Line("turns a rollout", f"at most {turns}", "upper bound: limits (nothing is published)"),
        Line("output tokens", f"{written}", "upper bound: limits"),
        Line("prompt tokens", f"{read}", "upper bound: a full context every turn"),
    ]


def _hours(planned: Planned, completion: Range) -> list[Line]:
    runner = planned.runner
    rounds = ceil(planned.rollouts / runner.concurrency.rollouts)
    limit = Range(0, rounds * runner.limits.seconds / 3600)
    side = f"upper bound: {rounds} x {runner.concurrency.rollouts} rollouts to their time limit"
    lines = [Line("hours", f"{limit}", side)]
    speed = planned.speed or _published_speed(planned)
    if speed is None:
        why = "unknown: no speed is published, give --tok-s or --measured"
        return [*lines, Line("engine hours", "unknown", why)]
    hours = completion.times(1 / speed.tok_s / 3600)
    basis = f"{speed.tok_s:.4g} output tokens/s: {speed.basis}"
    lines.append(Line("engine hours", f"{hours}", basis, speed.source))
    if planned.gpus is None:
        return lines
    used, price = hours.times(planned.gpus[0]), runner.price_per_gpu_hour
    lines.append(Line("GPU hours", f"{used}", f"assumed: {planned.gpus[0]} x engine hours"))
    if price is not None:
        lines.append(
            Line("cost", f"{used.times(price)}", f"assumed: {price:g} a GPU hour (runner)")
        )
    return lines


def _published_speed(planned: Planned) -> Speed | None:
    row = _of_model(_published("serving", "speed"), planned)
    if row is None:
        return None
    source = f"{row['hardware']}, {row['load']}: {row['source']}"
    return Speed(float(row["output_tok_per_s"]), f"published, {row['hardware']}", source)


def _of_model(rows: list[dict[str, str]], planned: Planned) -> dict[str, str] | None:
    """Return the first row about the runner's model."""
    return next((row for row in rows if row["model"] in planned.runner.label), None)


def _effort(suite: str) -> dict[str, tuple[Range, str]]:
    """Return what others published about work on the suite: figure to range and source."""
    return {
        row["what"]: (Range(float(row["low"]), float(row["high"])), row["source"])
        for row in _published(suite, "effort")
    }


def _published(subject: str, what: str) -> list[dict[str, str]]:
    path = content_root() / "reports" / "published" / f"{subject.replace('-', '_')}_{what}.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _short(number: float) -> str:
    for size, unit in ((1e9, " billion"), (1e6, " million")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{float(f'{number:.3g}'):,.0f}" if number >= 10 else f"{number:.2g}"

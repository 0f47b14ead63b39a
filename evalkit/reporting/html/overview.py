"""A run's first page: what is missing, scores, facts, and a row for each attempt."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from evalkit.reporting.host_paths import without_host_paths
from evalkit.reporting.html.names import page_name
from evalkit.reporting.html.trajectory import duration
from evalkit.reporting.repositories import by_repository
from evalkit.reporting.run import Run
from evalkit.reporting.scores import Fact
from evalkit.reporting.summary import Summary
from evalkit.types import Result


class Row(NamedTuple):
    """An attempt that was planned, in the table."""

    task_id: str
    attempt: int
    result: Result | None
    page: str
    """File name of its page; empty where it left no trace."""

    @property
    def outcome(self) -> str:
        """Return its outcome, `unfinished` where it has none yet."""
        return self.result.outcome if self.result else "unfinished"

    @property
    def seconds(self) -> float:
        """Return rollout and grading together."""
        return self.result.wall_s + self.result.grade_s if self.result else 0.0


def rows(run: Run) -> Iterator[Row]:
    """Yield a row for each attempt that was planned, in the order of the selection."""
    results = {(one.task_id, one.attempt): one for one in run.results}
    for task_id in run.selected:
        for attempt in run.numbers:
            result = results.get((task_id, attempt))
            trace = result is not None or run.folder(task_id, attempt) is not None
            yield Row(task_id, attempt, result, page_name(task_id, attempt) if trace else "")


def repositories(run: Run) -> Iterator[Fact]:
    """Yield how certain the score is where tasks of one repository stand or fall together.

    Nothing where all repositories score the same: their scatter, none, would promise too much.
    """
    found = by_repository(run)
    if len(set(found.without.values())) < 2:
        return
    if found.interval is not None:
        low, high = found.interval.low, found.interval.high
        yield Fact("95 % interval by repository", f"{low:.1%} to {high:.1%}")
    least, most = (pick(found.without, key=found.without.__getitem__) for pick in (min, max))
    ends = f"{found.without[least]:.1%} without {least} to {found.without[most]:.1%}"
    yield Fact("with one repository left out", f"{ends} without {most}")


def figures(summary: Summary) -> Iterator[Fact]:
    """Yield turns, tokens and speed, as far as there are any."""
    if summary.turns_median is not None:
        yield Fact("turns of an attempt", f"{summary.turns_median:g} (median)")
    usage = summary.usage
    if usage.completion_tokens:
        fresh = usage.prompt_tokens - usage.cached_tokens
        text = f"{usage.completion_tokens:,} out, {fresh:,} in, {usage.cached_tokens:,} cached"
        yield Fact("tokens", text)
    if summary.output_tok_s is not None and summary.busy_tok_s is not None:
        yield Fact("output_tok_s", f"{summary.output_tok_s:,.1f} from first request to last token")
        yield Fact("busy_tok_s", f"{summary.busy_tok_s:,.1f} while a request was in flight")
    if summary.flags:
        flags = ", ".join(f"{count:,} {flag}" for flag, count in summary.flags.items())
        yield Fact("attempts by flag", flags)


def conditions(run: Run) -> Iterator[Fact]:
    """Yield under what the run was made, as run.json tells it, the host's own paths apart."""
    about = run.manifest
    for key in ("suite", "revision", "model", "agent"):
        if key in about:
            yield Fact(key, without_host_paths(str(about[key])))
    whole = about.get("suite_tasks")
    part = f" of the suite's {whole:,}" if isinstance(whole, int) and whole else ""
    each = "1 attempt" if run.attempts == 1 else f"{run.attempts} attempts"
    yield Fact("tasks", f"{len(run.selected):,}{part}, {each} each")
    engine = _mapping(about.get("engine"))
    if engine:
        version = " ".join(str(engine[key]) for key in ("engine", "version") if engine.get(key))
        length = engine.get("max_model_len")
        context = f", context of {length:,} tokens" if isinstance(length, int) else ""
        yield Fact("engine", (version or "an endpoint") + context)
    runner = _mapping(about.get("runner"))
    for name in ("sampling", "limits"):
        told = ", ".join(
            f"{key} {value}"
            for key, value in _mapping(runner.get(name)).items()
            if value is not None
        )
        if told:
            yield Fact(name, without_host_paths(told))
    host = _mapping(about.get("host"))
    if host:
        cpus, memory = host.get("cpus", "?"), host.get("memory_gib", "?")
        yield Fact("host", f"{cpus} CPUs, {memory} GiB, {run.gpus} GPUs")
    started = about.get("started")
    if isinstance(started, int | float) and 0 < started < 2**33:
        yield Fact("started", f"{datetime.fromtimestamp(started, UTC):%Y-%m-%d %H:%M} UTC")
    if "evalkit" in about:
        yield Fact("evalkit", str(about["evalkit"]))


def told(result: Result) -> Iterator[Fact]:
    """Yield what a result says, for the attempt's page."""
    yield Fact("ended by", result.stop.replace("_", " "))
    yield Fact("repository", f"{result.repo} ({result.language})")
    yield Fact("turns", f"{result.turns:,}")
    yield Fact(
        "tokens",
        f"{result.completion_tokens:,} out, {result.prompt_tokens:,} in, "
        f"{result.cached_tokens:,} of them cached",
    )
    times = ", ".join(
        f"{name} {duration(seconds)}"
        for name, seconds in (
            ("queue", result.queue_s),
            ("set-up", result.setup_s),
            ("model", result.llm_s),
            ("tools", result.tool_s),
            ("grading", result.grade_s),
        )
        if seconds >= 0.05
    )
    yield Fact(
        "time", f"{duration(result.wall_s + result.grade_s)}" + (f": {times}" if times else "")
    )
    if result.retry:
        yield Fact("begun again", f"{result.retry} times, after faults that were not the agent's")
    if result.malformed_calls:
        yield Fact("malformed calls", f"{result.malformed_calls:,}")
    if result.repaired_outcome:
        yield Fact("with its final newline completed", result.repaired_outcome.replace("_", " "))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

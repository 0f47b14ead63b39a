"""How a run goes that may be under way in another process, from its folder alone."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pydantic import ConfigDict

from evalkit.errors import StoreError
from evalkit.store.folder import is_written
from evalkit.store.lines import as_record, has_ended, json_lines, last_line, read_manifest, record
from evalkit.store.planned import Key, Planned
from evalkit.types import EngineSample, Outcome, Record


class State(StrEnum):
    """Whether anybody has to do something."""

    RUNNING = "running"
    """A process writes the folder."""
    COMPLETE = "complete"
    """Every planned attempt has a result that is no infra error."""
    STOPPED = "stopped"
    """Neither: it can be gone on with."""


class Doing(StrEnum):
    """What is done for an attempt."""

    ROLLOUT = "rollout"
    GRADING = "grading"
    """Or waiting for it, with the rollout at its end."""
    AGAIN = "again"
    """Its rollout broke; it waits to be begun anew."""


class UnderWay(Record):
    """An attempt that is worked on."""

    task_id: str
    attempt: int
    doing: Doing
    seconds: float
    """Since that began."""


class Paused(Record):
    """Something without which no rollout starts."""

    what: str
    why: str
    since: float
    """Unix seconds."""


class Status(Record):
    """A run at one moment. Of the planned attempts; those of earlier conditions are only counted."""

    folder: Path
    state: State
    suite: str
    model: str
    looked: float
    """When this was so, unix seconds."""
    planned: int
    finished: int
    """With a result that is no infra error."""
    outcomes: Mapping[Outcome, int]
    """By the last result of each attempt, every outcome named."""
    under_way: tuple[UnderWay, ...]
    """Those that began first come first. None unless the run is running."""
    to_grade: int
    """Not under way, not finished, and the rollout came to its end: only graded later."""
    interrupted: int
    """Begun and cut off by a signal, a kill or a power cut: made anew when the run goes on."""
    not_begun: int
    earlier: int
    """Attempts under conditions, or of a selection, that the run was changed from: not counted."""
    sessions: int
    """How often the run was begun or gone on with."""
    session_s: float | None
    """Seconds from the last session's begin until now, or until its last event."""
    per_hour: float | None
    """Attempts finished in that time an hour; None where none was."""
    left_s: float | None
    """Until this session's end at that pace; None unless it is running and has one."""
    paused: tuple[Paused, ...]
    """By the events alone; of a run that is not running, what was away at its end."""
    engine: EngineSample | None
    """The last look at the engine, of whatever session."""
    command: str
    """What goes on with the run."""


class _Manifest(Planned):
    suite: str = ""
    model: str = ""
    command: str = ""


class _Event(Record):
    model_config = ConfigDict(extra="ignore")

    t: float
    kind: str
    task_id: str = ""
    attempt: int | None = None
    outcome: Outcome | None = None
    what: str = ""
    why: str = ""


@dataclass
class _Told:
    """What the events say, read in their order."""

    sessions: int = 0
    began: float | None = None
    last: float | None = None
    open: dict[Key, tuple[Doing, float]] = field(default_factory=dict)
    """Begun in the last session and neither interrupted nor graded."""
    begun: set[Key] = field(default_factory=set)
    cut: set[Key] = field(default_factory=set)
    """Begun, neither under way nor graded."""
    graded: dict[Key, Outcome | None] = field(default_factory=dict)
    """In the last session."""
    paused: dict[str, Paused] = field(default_factory=dict)

    def take(self, event: _Event) -> None:
        self.last = event.t
        match event.kind:
            case "began":
                self.end_session()
                self.sessions, self.began = self.sessions + 1, event.t
                self.graded, self.paused = {}, {}
            case "paused":
                self.paused[event.what] = Paused(what=event.what, why=event.why, since=event.t)
            case "resumed":
                self.paused.pop(event.what, None)
            case _ if event.attempt is not None:
                self._go_on((event.task_id, event.attempt), event)

    def end_session(self) -> None:
        self.cut |= self.open.keys()
        self.open = {}

    def _go_on(self, key: Key, event: _Event) -> None:
        match event.kind:
            case "rollout":
                self.open[key] = Doing.ROLLOUT, event.t
                self.begun.add(key)
                self.cut.discard(key)
            case "again":
                self.open[key] = Doing.AGAIN, event.t
            case "interrupted":
                self.open.pop(key, None)
                self.cut.add(key)
            case "graded":
                self.open.pop(key, None)
                self.cut.discard(key)
                self.graded[key] = event.outcome


def read_status(path: Path | str, now: float | None = None) -> Status:
    """Read how a run goes; `now` in unix seconds.

    Nobody who writes the folder is held up. Raises StoreError naming what is damaged.
    """
    folder = Path(path)
    # In this order: what ends or is finished meanwhile is seen as it was, or as finished.
    running = is_written(folder)
    plan = _plan(folder)
    told = _Told()
    for where, line in json_lines(folder / "events.jsonl"):
        told.take(as_record(_Event, line, where))
    if not running:
        told.end_session()
    return _status(folder, plan, told, now=time.time() if now is None else now, running=running)


def _plan(folder: Path) -> _Manifest:
    manifest = read_manifest(folder)
    if "selected" not in manifest:
        hint = "name a folder that `evalkit run`, `grade` or `validate` wrote"
        raise StoreError(f"{folder} holds no run of a suite", hint=hint)
    return as_record(_Manifest, manifest, str(folder / "run.json"))


def _status(folder: Path, plan: _Manifest, told: _Told, *, now: float, running: bool) -> Status:
    results, earlier = plan.results(folder)
    outcomes = {key: result.outcome for key, result in results.items()}
    done = {key for key, outcome in outcomes.items() if outcome is not Outcome.INFRA_ERROR}
    left = {key for key in told.begun if plan.plans(key) and key not in done}
    rolled = {key for key in left if _rollout_end(folder, key) is not None}
    planned = len(plan.selected) * plan.attempts
    state = State.COMPLETE if len(done) == planned else State.STOPPED
    counts = Counter(outcomes.values())
    session_s = _session_s(told, now if running else told.last)
    fine = sum(outcome is not Outcome.INFRA_ERROR for outcome in told.graded.values())
    per_hour = fine * 3600 / session_s if fine and session_s else None
    broken = sum(plan.plans(key) and key not in done for key in told.graded)
    to_do = planned - len(done) - broken  # this session begins what broke no more
    return Status(
        folder=folder,
        state=State.RUNNING if running else state,
        suite=plan.suite,
        model=plan.model,
        looked=now,
        planned=planned,
        finished=len(done),
        outcomes={outcome: counts[outcome] for outcome in Outcome},
        under_way=_under_way(folder, told, left, now),
        to_grade=len(rolled - told.open.keys()),
        interrupted=len(left & told.cut - rolled),
        not_begun=planned - len(left | results.keys()),
        earlier=earlier,
        sessions=told.sessions,
        session_s=session_s,
        per_hour=per_hour,
        left_s=to_do * 3600 / per_hour if running and per_hour else None,
        paused=tuple(told.paused.values()),
        engine=_last_look(folder / "engine.jsonl"),
        command=plan.command,
    )


def _session_s(told: _Told, until: float | None) -> float | None:
    if told.began is None or until is None:
        return None
    return max(0.0, until - told.began)


def _under_way(folder: Path, told: _Told, left: Iterable[Key], now: float) -> tuple[UnderWay, ...]:
    found = []
    for key in left:
        if key in told.open:
            doing, since = told.open[key]
            end = _rollout_end(folder, key)
            if end is not None:
                doing, since = Doing.GRADING, end
            task_id, attempt = key
            seconds = max(0.0, now - since)
            found.append(UnderWay(task_id=task_id, attempt=attempt, doing=doing, seconds=seconds))
    return tuple(sorted(found, key=lambda one: (-one.seconds, one.task_id, one.attempt)))


def _rollout_end(folder: Path, key: Key) -> float | None:
    """Return when an attempt's rollout came to its end (unix s); None where it has not."""
    task_id, attempt = key
    trajectory = folder / "tasks" / task_id / str(attempt) / "trajectory.jsonl"
    try:
        return trajectory.stat().st_mtime if has_ended(trajectory) else None
    except FileNotFoundError:  # the run set it aside just now
        return None


def _last_look(path: Path) -> EngineSample | None:
    """Read the last line alone: there is one for every two seconds of a run that takes days."""
    line = last_line(path)
    return record(EngineSample, line, f"{path} last line") if line else None

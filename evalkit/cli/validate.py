"""`evalkit validate`: is a suite right? Known solutions must resolve, no change must not."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evalkit.agents.fixed import GOLD, NULL
from evalkit.cli.execute import execute, go_on, new_id
from evalkit.cli.grade import graders
from evalkit.cli.resume import resume_command, run_folder
from evalkit.cli.select import Selection, excluded, select
from evalkit.cli.settled import Run
from evalkit.cli.signals import Stopper, stoppable
from evalkit.cli.wiring import choose_runner, choose_suite, say
from evalkit.errors import StoreError
from evalkit.types import Outcome, Record, Result, Task


class ValidateRequest(Record):
    """The flags of `evalkit validate`."""

    suite: str
    replicas: int
    output: Path | None
    gradings: int | None
    selection: Selection
    overrides: tuple[str, ...]
    resume: bool = False


class Check(StrEnum):
    """What became of one task."""

    OK = "ok"
    GOLD_FAILS = "gold_fails"
    FLAKY = "flaky"
    EMPTY_PASSES = "empty_passes"
    INFRA = "infra"


_BAD = {Check.GOLD_FAILS, Check.FLAKY, Check.EMPTY_PASSES}


class Checked(Record):
    """One task, graded with its known solution several times and once with no change."""

    task_id: str
    check: Check
    gold_resolved: int
    replicas: int
    empty: Outcome
    why: str


def validate_command(request: ValidateRequest) -> int:
    """Validate, and return the exit code."""
    suite = choose_suite(request.suite, request.overrides)
    folder = run_folder(request.output, new_id(suite.name, "validate"), resume=request.resume)
    gold = Run(
        id=new_id(suite.name, "gold"),
        folder=folder / "gold",
        command=resume_command(folder),
        resume=request.resume,
        suite=suite,
        runner=graders(choose_runner(suite, None, request.overrides), request.gradings),
        agent="gold",
        model="gold",
        tasks=tuple(select(suite.tasks(), request.selection)),
        attempts=request.replicas,
        excluded=excluded(suite.tasks(), request.selection),
    )
    empty = replace(
        gold,
        id=new_id(suite.name, "empty"),
        folder=folder / "empty",
        agent="null",
        model="null",
        attempts=1,
    )
    return stoppable(
        lambda stopper: _validate(gold, empty, folder, stopper),
        lambda: go_on(replace(gold, folder=folder)),
    )


def _validate(gold: Run, empty: Run, folder: Path, stopper: Stopper) -> int:
    checked = check(
        gold.tasks,
        execute(gold, lambda *_: nullcontext(GOLD), stopper),
        execute(empty, lambda *_: nullcontext(NULL), stopper),
    )
    write_known_bad(checked, folder / "known-bad.txt")
    Console(highlight=False).print(_table(checked))
    for one in checked:
        if one.why:
            say(f"{one.task_id}: {one.check}: {one.why}")
    say(f"bad tasks, for `evalkit run --exclude`: {folder / 'known-bad.txt'}")
    return exit_code(checked)


def exit_code(checked: Sequence[Checked]) -> int:
    """Return 1 where a task is bad, 3 where one could not be looked at, else 0."""
    found = {one.check for one in checked}
    return 1 if found & _BAD else 3 if Check.INFRA in found else 0


def check(tasks: Sequence[Task], gold: Sequence[Result], empty: Sequence[Result]) -> list[Checked]:
    """Conclude on every task, in order."""
    with_gold = defaultdict(list)
    for result in gold:
        with_gold[result.task_id].append(result)
    with_none = {result.task_id: result for result in empty}
    return [_check(with_gold[task.id], with_none[task.id]) for task in tasks]


def _check(gold: Sequence[Result], empty: Result) -> Checked:
    outcomes = [one.outcome for one in gold]
    resolved = outcomes.count(Outcome.RESOLVED)
    failed = [one for one in gold if one.outcome not in {Outcome.RESOLVED, Outcome.INFRA_ERROR}]
    broken = [one for one in (*gold, empty) if one.outcome is Outcome.INFRA_ERROR]
    if failed:
        found, shown = Check.FLAKY if resolved else Check.GOLD_FAILS, failed[0]
        why = f"gold {shown.outcome} in {len(failed)} of {len(gold)}"
    elif empty.outcome is Outcome.RESOLVED:
        found, shown, why = Check.EMPTY_PASSES, empty, "resolved without any change"
    elif broken:
        found, shown, why = Check.INFRA, broken[0], broken[0].error
    else:
        found, shown, why = Check.OK, empty, ""
    reason = shown.reason if found in _BAD else ""
    return Checked(
        task_id=empty.task_id,
        check=found,
        gold_resolved=resolved,
        replicas=len(gold),
        empty=empty.outcome,
        why=" ".join(": ".join(filter(None, (why, reason))).split()),
    )


def write_known_bad(checked: Sequence[Checked], path: Path) -> None:
    """Write the tasks that failed, each with why, as `run --exclude` reads them."""
    lines = [f"{one.task_id}  # {one.check}: {one.why}\n" for one in checked if one.check in _BAD]
    try:
        path.write_text("".join(lines), "utf-8")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error


def _table(checked: Sequence[Checked]) -> Table:
    bad = sum(one.check in _BAD for one in checked)
    table = Table(title=f"{bad} of {len(checked)} tasks fail")
    for heading in ("task", "gold", "empty", "verdict"):
        table.add_column(heading, overflow="fold")
    for one in checked:
        style = "green" if one.check is Check.OK else "bold red"
        table.add_row(
            one.task_id,
            f"{one.gold_resolved}/{one.replicas}",
            one.empty,
            f"[{style}]{one.check}[/]",
        )
    return table

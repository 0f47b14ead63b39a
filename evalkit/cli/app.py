"""The commands, one module each; a command's module is imported when it runs."""

from typing import TYPE_CHECKING, Annotated

import typer

import evalkit
from evalkit.cli import options

if TYPE_CHECKING:
    from evalkit.cli.select import Selection

app = typer.Typer(
    help="How good is a coding model? Serve it, let it work on real tasks in Docker sandboxes, "
    "grade its patches with the repositories' own tests.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"auto_envvar_prefix": "EVALKIT", "help_option_names": ["-h", "--help"]},
    epilog="Start with: evalkit run --suite quickstart   ·   Every flag can be set by EVALKIT_<COMMAND>_<FLAG>.",
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        typer.echo(evalkit.__version__)
        raise typer.Exit


def _selection(
    task_ids: options.TaskIds,
    part: options.Part,
    pattern: options.Pattern,
    exclude: options.Exclude,
    shuffle: options.Shuffle = None,
) -> "Selection":
    from evalkit.cli.select import Selection

    return Selection(
        ids=tuple(task_ids or ()), part=part, pattern=pattern, exclude=exclude, shuffle=shuffle
    )


@app.command()
def run(
    suite: options.Suite,
    runner: options.RunnerName = None,
    output: options.Output = None,
    rollouts: options.Rollouts = None,
    attempts: options.Attempts = 1,
    task_ids: options.TaskIds = None,
    part: options.Part = None,
    pattern: options.Pattern = None,
    exclude: options.Exclude = None,
    shuffle: options.Shuffle = None,
    agent: options.Agent = None,
    endpoint: options.Endpoint = None,
    model: options.Model = None,
    overrides: options.Overrides = None,
    resume: options.Resume = False,
    allow_changes: options.AllowChanges = False,
    dry_run: options.DryRun = False,
) -> None:
    """Serve a model, let it work on every task of a suite, grade its patches.

    Results go to stdout and into the run folder, progress to stderr. Exit codes: 0 done, 2 wrong
    usage, 3 infrastructure (or infra errors remain), 130/143 stopped by a signal.
    """
    from evalkit.cli.run import RunRequest, run_command

    request = RunRequest(
        suite=suite,
        runner=runner,
        output=output,
        rollouts=rollouts,
        attempts=attempts,
        selection=_selection(task_ids, part, pattern, exclude, shuffle),
        agent=agent,
        endpoint=endpoint,
        model=model,
        overrides=tuple(overrides or ()),
        resume=resume,
        allow_changes=allow_changes,
    )
    raise typer.Exit(run_command(request, dry_run=dry_run))


@app.command()
def status(run_dir: options.RunDir, form: options.Format = "table") -> None:
    """Say how a run goes, from another terminal or a cron job; it is neither held up nor changed.

    Running, complete, or stopped, and then the command that goes on; what is under way, how fast,
    how long still; what is paused and why. Exit codes: 0 running or complete, 3 stopped before
    every attempt has its result (or the folder cannot be read).
    """
    from evalkit.cli.status import status_command

    raise typer.Exit(status_command(run_dir, form))


@app.command()
def compare(
    base: options.Base,
    candidates: options.Candidates,
    max_drop: options.MaxDrop = 2.0,
    alpha: options.Alpha = 0.05,
    min_speed: options.MinSpeed = None,
    max_infra: options.MaxInfra = None,
    allow_revision_mismatch: options.AllowRevisionMismatch = False,
    published: options.Published = None,
    junit: options.JUnit = None,
    markdown: options.Markdown = None,
    form: options.Format = "table",
) -> None:
    """Say whether a model got worse than a base: a gate for CI, over the tasks both have.

    evalkit compare runs/baseline runs/tonight

    evalkit compare runs/baseline runs/mon runs/tue runs/wed --min-speed 0.9

    evalkit compare published:claude-45sonnet-10132025 published:gpt-5-250-turns-10132025

    Exit codes: 0 passed, and the smallest drop it could have seen is told; 1 failed: the score
    dropped by more than --max-drop and p < --alpha (one-sided), or the speed is below --min-speed;
    3 spoiled: what was lost to infrastructure could turn the answer, or is above --max-infra;
    4 inconclusive: dropped by more, but it may be chance, and what would decide is told; 2 wrong
    usage, or nothing to compare.
    """
    from evalkit.cli.compare import CompareRequest, compare_command
    from evalkit.reporting.gate import Limits

    request = CompareRequest(
        base=base,
        candidates=tuple(candidates),
        limits=Limits(max_drop=max_drop, alpha=alpha, min_speed=min_speed, max_infra=max_infra),
        allow_mismatch=allow_revision_mismatch,
        published=published,
        junit=junit,
        markdown=markdown,
        form=form,
    )
    raise typer.Exit(compare_command(request))


@app.command()
def report(run_dirs: options.RunDirs, output: options.ReportFolder = None) -> None:
    """Write a report that a browser opens from its file: scores, charts, every attempt, every turn.

    Beside it attempts.csv, attempts.parquet, turns.parquet and junit.xml. Of several runs, one
    report with all of them side by side. What is missing of a run is said on its first page.
    """
    from evalkit.cli.report import report_command

    report_command(run_dirs, output)


@app.command()
def view(run_dir: options.RunDir, port: options.Port = 0) -> None:
    """Show a run's report in a browser on this machine, as the run goes on, until Ctrl-C.

    The address goes to stdout; no other machine can ask.
    """
    from evalkit.cli.view import view_command

    raise typer.Exit(view_command(run_dir, port))


@app.command()
def serve(
    runner: options.ServedRunner,
    output: options.Output = None,
    overrides: options.Overrides = None,
    dry_run: options.DryRun = False,
) -> None:
    """Serve a runner's model and nothing else, watched and restarted as in a run, until Ctrl-C.

    Its address goes to stdout; the log and the engine's figures into the folder of -o.
    """
    from evalkit.cli.serve import serve_command

    raise typer.Exit(serve_command(runner, output, list(overrides or ()), dry_run=dry_run))


@app.command()
def grade(
    suite: options.Suite,
    predictions: options.Predictions,
    output: options.Output = None,
    gradings: options.Gradings = None,
    task_ids: options.TaskIds = None,
    part: options.Part = None,
    pattern: options.Pattern = None,
    exclude: options.Exclude = None,
    repair_newline: options.RepairNewline = False,
    overrides: options.Overrides = None,
    resume: options.Resume = False,
    form: options.Format = "table",
) -> None:
    """Grade patches from a file; no model is asked.

    What is wrong in the file is told on stderr, the rest graded. Exit codes as for `run`; 2 also
    where nothing in the file is right.
    """
    from evalkit.cli.grade import GradeRequest, grade_command

    request = GradeRequest(
        suite=suite,
        predictions=predictions,
        output=output,
        gradings=gradings,
        selection=_selection(task_ids, part, pattern, exclude),
        repair_newline=repair_newline,
        overrides=tuple(overrides or ()),
        form=form,
        resume=resume,
    )
    raise typer.Exit(grade_command(request))


@app.command()
def validate(
    suite: options.Suite,
    replicas: options.Replicas = 1,
    output: options.ValidateOutput = None,
    gradings: options.Gradings = None,
    task_ids: options.TaskIds = None,
    part: options.Part = None,
    pattern: options.Pattern = None,
    exclude: options.Exclude = None,
    overrides: options.Overrides = None,
    resume: options.Resume = False,
) -> None:
    """Check a suite: each known solution must resolve its task, no change must not.

    Writes DIR/known-bad.txt, which `run --exclude` takes. Exit codes: 1 a task fails, 3 infra
    errors remain, others as for `run`.
    """
    from evalkit.cli.validate import ValidateRequest, validate_command

    request = ValidateRequest(
        suite=suite,
        replicas=replicas,
        output=output,
        gradings=gradings,
        selection=_selection(task_ids, part, pattern, exclude),
        overrides=tuple(overrides or ()),
        resume=resume,
    )
    raise typer.Exit(validate_command(request))


@app.command()
def plan(
    suite: options.Suite,
    runner: options.RunnerName = None,
    gpus: options.Gpus = None,
    tok_s: options.TokS = None,
    measured: options.Measured = None,
    attempts: options.Attempts = 1,
    task_ids: options.TaskIds = None,
    part: options.Part = None,
    pattern: options.Pattern = None,
    exclude: options.Exclude = None,
    overrides: options.Overrides = None,
) -> None:
    """Say what a run would take, before anything starts: images, disk, tokens, hours, memory.

    Every figure says whether it is measured, published or assumed.
    """
    from evalkit.cli.plan import PlanRequest, plan_command

    request = PlanRequest(
        suite=suite,
        runner=runner,
        gpus=gpus,
        tok_s=tok_s,
        measured=measured,
        attempts=attempts,
        selection=_selection(task_ids, part, pattern, exclude),
        overrides=tuple(overrides or ()),
    )
    plan_command(request)


@app.command()
def prepare(
    suite: options.Suite,
    runner: options.RunnerName = None,
    overrides: options.Overrides = None,
) -> None:
    """Get images and weights now, so that `run` starts at once."""
    from evalkit.cli.prepare import prepare_command

    prepare_command(suite, runner, overrides or [])


@app.command()
def suites() -> None:
    """List the suites that ship with evalkit."""
    from evalkit.cli.listing import list_suites

    list_suites()


@app.command()
def runners() -> None:
    """List the runners that ship with evalkit."""
    from evalkit.cli.listing import list_runners

    list_runners()


@app.command()
def agents() -> None:
    """List the agents."""
    from evalkit.cli.listing import list_agents

    list_agents()


@app.command()
def doctor() -> None:
    """Say what this machine lacks and how to get it. Exit code 3 if something is missing."""
    from evalkit.cli.doctor import doctor_command

    raise typer.Exit(doctor_command())


@app.command()
def clean() -> None:
    """Remove containers whose evalkit is provably gone; those of a live run stay."""
    from evalkit.cli.clean import clean_command

    clean_command()

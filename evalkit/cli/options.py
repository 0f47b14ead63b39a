"""The flags, one alias each."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Suite = Annotated[str, typer.Option("--suite", help="Name (see `evalkit suites`) or a folder.")]
RunnerName = Annotated[
    str | None,
    typer.Option("--runner", help="Name (see `evalkit runners`) or a YAML file. [suite's own]"),
]
ServedRunner = Annotated[
    str, typer.Option("--runner", help="Name (see `evalkit runners`) or a YAML file.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY.PATH=VALUE",
        help="Change a key of the runner, or of the suite: suite.KEY=VALUE.",
    ),
]
Output = Annotated[
    Path | None, typer.Option("-o", metavar="RUN_DIR", help="Run folder. [runs/<run id>]")
]
Rollouts = Annotated[
    int | None, typer.Option("-w", min=1, help="Rollouts side by side, at most. [runner's]")
]
Attempts = Annotated[int, typer.Option("-k", min=1, help="Attempts a task.")]
TaskIds = Annotated[
    list[str] | None, typer.Option("-i", metavar="TASK_ID", help="Only this task; repeatable.")
]
Part = Annotated[
    str | None, typer.Option("--slice", metavar="A:B", help="Only tasks A to B, from 0.")
]
Pattern = Annotated[
    str | None, typer.Option("--filter", metavar="REGEX", help="Only ids that match.")
]
Exclude = Annotated[
    Path | None, typer.Option(help="A file of task ids to leave out, one a line, `# why` after it.")
]
Shuffle = Annotated[
    int | None, typer.Option(metavar="SEED", help="Take the tasks in a random order.")
]
Agent = Annotated[
    str | None,
    typer.Option(metavar="NAME[:ARGUMENT]", help="See `evalkit agents`. [runner's]"),
]
Endpoint = Annotated[
    str | None,
    typer.Option(metavar="URL", help="A server that already runs, as http://host:8000/v1."),
]
Model = Annotated[str | None, typer.Option(help="The model's name at --endpoint.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the run in -o; what is finished stays.")
]
AllowChanges = Annotated[
    bool,
    typer.Option(
        "--allow-changes",
        help="Resume under another runner, suite or selection: new attempts beside the old.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would run, and stop.")]
RunDir = Annotated[
    Path,
    typer.Argument(
        metavar="RUN_DIR",
        exists=True,
        file_okay=False,
        help="Folder of a run that is under way or over.",
    ),
]
RunDirs = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN_DIR...", exists=True, file_okay=False, help="Folders of runs, whole or not."
    ),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="On this machine; 0: a free one.")]
ReportFolder = Annotated[
    Path | None, typer.Option("-o", metavar="DIR", help="Where to. [RUN_DIR/report]")
]
Predictions = Annotated[
    Path,
    typer.Option(metavar="FILE", help="JSON or JSON Lines, in SWE-bench or SWE-bench Pro form."),
]
Gradings = Annotated[
    int | None, typer.Option("-w", min=1, help="Gradings side by side. [runner's]")
]
RepairNewline = Annotated[
    bool,
    typer.Option(
        "--repair-newline",
        help="Grade patches without a final newline with it too, as a second score.",
    ),
]
Format = Annotated[Literal["table", "json"], typer.Option("--format", help="What stdout gets.")]
Replicas = Annotated[int, typer.Option(min=1, help="How often each known solution is graded.")]
ValidateOutput = Annotated[
    Path | None, typer.Option("-o", metavar="DIR", help="Folder of the two runs. [runs/<id>]")
]
Gpus = Annotated[
    str | None, typer.Option(metavar="NxGIB", help="GPUs and the memory of each, as 8x80.")
]
TokS = Annotated[
    float | None,
    typer.Option("--tok-s", min=0.01, help="Output tokens a second of the engine. [published]"),
]
Measured = Annotated[
    Path | None,
    typer.Option(metavar="RUN_DIR", help="Take the engine's speed from a run of your own."),
]
Base = Annotated[
    str,
    typer.Argument(metavar="BASE", help="A run folder, or published:NAME. What is held against."),
]
Candidates = Annotated[
    list[str],
    typer.Argument(
        metavar="CANDIDATE...", help="The same; of several the attempts of a task are pooled."
    ),
]
MaxDrop = Annotated[
    float, typer.Option(metavar="POINTS", min=0, help="How far the score may drop.")
]
Alpha = Annotated[
    float,
    typer.Option(min=0.0001, max=0.5, help="How often at most chance alone may look like a drop."),
]
MinSpeed = Annotated[
    float | None,
    typer.Option(metavar="RATIO", min=0, help="Least busy_tok_s over the base's. [not asked]"),
]
MaxInfra = Annotated[
    float | None,
    typer.Option(
        metavar="PCT",
        min=0,
        max=100,
        help="Most attempts of a side that may be infra errors or unfinished. [not asked]",
    ),
]
AllowRevisionMismatch = Annotated[
    bool,
    typer.Option(
        "--allow-revision-mismatch",
        help="Compare over two revisions of a suite, unchanged tasks only; or with published "
        "verdicts, whose tasks may have changed. Every line says so.",
    ),
]
Published = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Read published:NAME from here, from NAME/eval_results.json or NAME.json. [fetched "
        "once from the public repository]",
    ),
]
JUnit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML, one case a task.")
]
Markdown = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a summary for a CI job's page.")
]

"""Writes the report of one run, or of several."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from evalkit.errors import ConfigError
from evalkit.reporting.charts import write_charts
from evalkit.reporting.frames import Frames
from evalkit.reporting.html.attempt import read_attempt
from evalkit.reporting.html.names import run_names
from evalkit.reporting.html.overview import rows
from evalkit.reporting.html.pages import (
    ASSETS,
    MARK,
    asset,
    attempt_page,
    run_page,
    runs_page,
)
from evalkit.reporting.load import salvage_run
from evalkit.reporting.run import Run
from evalkit.reporting.run_junit import junit
from evalkit.reporting.summary import summarise
from evalkit.reporting.tables import write_tables
from evalkit.store.files import store_errors

Progress = Callable[[str, int, int], None]
"""Is told of a run by its name, how many of how many of its pages are written."""


def write_report(paths: Sequence[Path], folder: Path, progress: Progress) -> Path:
    """Write the report of run folders, as far as they go, and return its first page.

    Raises StoreError where a path holds no run or the folder cannot be written, and ConfigError
    where the folder holds pages of something else.
    """
    _refuse_strangers(folder)
    if len(paths) == 1:
        run = salvage_run(paths[0])
        _write_run(run, folder, partial(progress, paths[0].name))
        return folder / "index.html"
    runs = {}
    for name, path in zip(run_names(paths), paths, strict=True):
        run = salvage_run(path)
        _write_run(run, folder / name, partial(progress, name), up="../index.html")
        runs[name] = (run.model_copy(update={"requests": (), "samples": ()}), summarise(run))
    _write(folder, {"report.css": asset("report.css")})
    _write(folder, {"index.html": runs_page(runs)})
    return folder / "index.html"


def _write_run(
    run: Run, folder: Path, progress: Callable[[int, int], None], *, up: str = ""
) -> None:
    """Write everything, the first page last: it is there when all that it links to is."""
    table = list(rows(run))
    pages = folder / "attempts"
    with store_errors(pages):
        pages.mkdir(parents=True, exist_ok=True)
    for done, row in enumerate(table):
        progress(done, len(table))
        if row.page:
            attempt = read_attempt(run, row.task_id, row.attempt, row.result)
            _write(pages, {row.page: attempt_page(run, attempt)})
    progress(len(table), len(table))
    frames = Frames(run)
    write_tables(frames, folder)
    charts = write_charts(run, folder)
    _write(folder, {name: asset(name) for name in ASSETS} | {"junit.xml": junit(run)})
    _write(folder, {"index.html": run_page(run, charts, up=up)})


def _refuse_strangers(folder: Path) -> None:
    index = folder / "index.html"
    with store_errors(index):
        strange = index.exists() and MARK.encode() not in index.read_bytes()[:2000]
    if strange:
        raise ConfigError(
            f"{index} is no page of a report, and would be overwritten",
            hint="choose another folder with -o",
        )


def _write(folder: Path, files: dict[str, str] | dict[str, bytes] | dict[str, str | bytes]) -> None:
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
        with store_errors(folder / name):
            (folder / name).write_bytes(data)

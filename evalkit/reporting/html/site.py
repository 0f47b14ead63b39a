"""The report of a run that may still go on: each page made when it is asked for."""

import threading
import time
from pathlib import Path
from typing import NamedTuple

from evalkit.errors import StoreError
from evalkit.reporting.charts import write_charts
from evalkit.reporting.frames import Frames
from evalkit.reporting.html.attempt import read_attempt
from evalkit.reporting.html.overview import Row, rows
from evalkit.reporting.html.pages import (
    ASSETS,
    POLICY,
    SCRIPT_POLICY,
    asset,
    attempt_page,
    run_page,
)
from evalkit.reporting.load import salvage_run
from evalkit.reporting.run import Run
from evalkit.reporting.run_junit import junit
from evalkit.reporting.tables import TABLES, write_tables
from evalkit.store.folder import is_written
from evalkit.store.lines import read

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".csv": "text/csv; charset=utf-8",
    ".xml": "application/xml",
}
_SPARE = 4
"""Of five parts of the time at most one goes into reading the run anew."""


class Page(NamedTuple):
    """What is served under a name."""

    content: bytes
    type: str
    policy: str


class Site:
    """A run's pages by the names that a report on disk has; nothing else has a name.

    `folder` takes charts and tables. Raises StoreError where the path holds no run.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._folder = path, folder
        self._lock = threading.Lock()
        self._seen = self._state()
        self._next = 0.0
        self._read()

    def page(self, name: str) -> Page | None:
        """Return a page, of the run as it is now; None where there is none of that name."""
        with self._lock:
            self._refresh()
            content = self._content(name or "index.html")
        if content is None:
            return None
        kind = _TYPES.get(Path(name or "index.html").suffix, "application/octet-stream")
        return Page(content, kind, policy_of(name))

    def _content(self, name: str) -> bytes | None:
        if name == "index.html":
            live = is_written(self._path)
            return run_page(self._run, self._charts, live=live).encode("utf-8", "replace")
        if name in ASSETS:
            return asset(name)
        if name == "junit.xml":
            return junit(self._run)
        if name in TABLES:
            write_tables(Frames(self._run), self._folder)
        if name in TABLES or name in {chart.name for chart in self._charts}:
            return read(self._folder / name)
        row = self._rows.get(name.removeprefix("attempts/")) if "/" in name else None
        if row is None:
            return None
        attempt = read_attempt(self._run, row.task_id, row.attempt, row.result)
        return attempt_page(self._run, attempt).encode("utf-8", "replace")

    def _refresh(self) -> None:
        state = self._state()
        if state != self._seen and time.monotonic() >= self._next:
            self._seen = state
            self._read()

    def _read(self) -> None:
        begun = time.monotonic()
        self._run: Run = salvage_run(self._path)
        self._rows: dict[str, Row] = {row.page: row for row in rows(self._run) if row.page}
        self._charts = write_charts(self._run, self._folder)
        ended = time.monotonic()
        self._next = ended + _SPARE * (ended - begun)

    def _state(self) -> tuple[int, ...]:
        """Return what changes with each result and each attempt that begins."""
        state: list[int] = []
        for name in ("run.json", "results.jsonl", "tasks"):
            path = self._path / name
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreError(f"cannot read {path}: {error.strerror}") from error
            state += (found.st_size, found.st_mtime_ns)
        return tuple(state)


def policy_of(name: str) -> str:
    """Return the content security policy of a page; a chart in SVG has styles of its own."""
    if name in {"", "index.html"}:
        return SCRIPT_POLICY
    return "default-src 'none'; style-src 'unsafe-inline'" if name.endswith(".svg") else POLICY

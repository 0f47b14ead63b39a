"""Pages from templates: everything that is printed into one is made visible, then escaped."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evalkit import __version__
from evalkit.reporting.host_paths import without_host_paths
from evalkit.reporting.html.attempt import Attempt
from evalkit.reporting.html.overview import conditions, figures, repositories, rows, told
from evalkit.reporting.html.text import visible
from evalkit.reporting.html.trajectory import duration
from evalkit.reporting.run import Run
from evalkit.reporting.scores import Fact, scores
from evalkit.reporting.summary import Summary, summarise
from evalkit.types import WITHOUT_EFFECT, Outcome

ASSETS = ("report.css", "report.js")
MARK = '<meta name="generator" content="evalkit'
"""Begin of a tag that pages of a report have, and no other page."""
POLICY = "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'"
"""Content security policy of a page; the index alone adds its own script."""
SCRIPT_POLICY = POLICY + "; script-src 'self'"
_TEMPLATES = Path(__file__).parent / "templates"


class Chart(NamedTuple):
    """A picture, by the name of its file beside the page."""

    file: str
    title: str
    others: tuple[str, ...]
    """The same in other formats."""


def asset(name: str) -> bytes:
    """Return a file that pages refer to."""
    return (_TEMPLATES / name).read_bytes()


def run_page(run: Run, charts: Iterable[Path], *, up: str = "", live: bool = False) -> str:
    """Return a run's first page; `up` links to a page of several runs, `live` reloads it."""
    summary = summarise(run)
    table = list(rows(run))
    return _render(
        "run.html",
        run=run,
        name=run_name(run),
        missing=[without_host_paths(one) for one in run.missing],
        summary=summary,
        scores=(*scores(summary), *repositories(run)),
        figures=figures(summary),
        conditions=conditions(run),
        charts=list(_charts(charts)),
        rows=table,
        several=run.attempts > 1,
        flagged=any(row.result and row.result.flags for row in table),
        outcomes=[one for one in (*Outcome, "unfinished") if any(r.outcome == one for r in table)],
        policy=SCRIPT_POLICY,
        up=up,
        live=live,
    )


def attempt_page(run: Run, attempt: Attempt) -> str:
    """Return the page of an attempt, which has no script."""
    result = attempt.result
    return _render(
        "attempt.html",
        run=run,
        attempt=attempt,
        result=result,
        outcome=result.outcome if result else "unfinished",
        facts=told(result) if result else (),
        error=without_host_paths(result.error) if result else "",
        reasons=[without_host_paths(one) for one in attempt.reasons],
        without_effect=WITHOUT_EFFECT,
        policy=POLICY,
    )


def runs_page(runs: Mapping[str, tuple[Run, Summary]]) -> str:
    """Return the page of several runs, by the folder of each, side by side."""
    columns = [_column(folder, run, summary) for folder, (run, summary) in runs.items()]
    names = list(dict.fromkeys(name for column in columns for name in column.facts))
    return _render("runs.html", columns=columns, names=names, policy=POLICY)


def run_name(run: Run) -> str:
    """Return what a run is called on its page."""
    about = run.manifest
    parts = [str(about[key]) for key in ("suite", "model") if about.get(key)]
    return without_host_paths(": ".join(parts)) or run.path.resolve().name


class _Column(NamedTuple):
    folder: str
    name: str
    facts: Mapping[str, str]
    missing: int


def _column(folder: str, run: Run, summary: Summary) -> _Column:
    facts = (
        *scores(summary),
        *repositories(run),
        *_outcomes(summary),
        *figures(summary),
        *conditions(run),
    )
    told_once = {fact.name: fact.value for fact in facts}
    return _Column(folder, run_name(run), told_once, len(run.missing))


def _outcomes(summary: Summary) -> Iterator[Fact]:
    for outcome, count in summary.outcomes.items():
        if count:
            yield Fact(outcome.replace("_", " ") + " attempts", f"{count:,}")
    if summary.unfinished:
        yield Fact("unfinished attempts", f"{summary.unfinished:,}")


def _charts(paths: Iterable[Path]) -> Iterator[Chart]:
    """Yield a chart for each stem; a picture of points before one of lines: it is of known size."""
    files: dict[str, list[str]] = {}
    for path in paths:
        files.setdefault(path.stem, []).append(path.name)
    for stem, names in files.items():
        first, *others = sorted(names)
        yield Chart(first, stem.replace("_", " "), tuple(others))


def _finalize(value: Any) -> Any:
    if value is None:
        return ""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _content(text: str) -> Markup:
    """Escape what stands between tags, and never in one: a quote needs nothing there.

    Code is rich in quotes; five bytes for each would make pages larger than what they show.
    """
    text = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(text)  # noqa: S704 - escaped in the line above


_ENVIRONMENT = Environment(
    loader=PackageLoader("evalkit.reporting.html"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_finalize,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters["content"] = _content
_ENVIRONMENT.filters["duration"] = duration
_ENVIRONMENT.filters["words"] = lambda text: str(text).replace("_", " ")
_ENVIRONMENT.globals["version"] = __version__


def _render(template: str, **facts: Any) -> str:
    return _ENVIRONMENT.get_template(template).render(**facts)

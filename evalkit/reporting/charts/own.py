"""Runs of one's own, as charts name and place them."""

import re
from collections.abc import Sequence

from evalkit.errors import ConfigError
from evalkit.reporting.frames import Frames
from evalkit.reporting.run import Run
from evalkit.reporting.style import SERIES, Look, caption, legible, plural
from evalkit.stats import Interval, wilson

PRO = "swebench-pro"
"""How the suites begin whose scores stand beside published ones."""
_LONGEST = 32


def names(runs: Sequence[Frames]) -> list[str]:
    """Return each run's model, short; where two are of one model, the names of their folders."""
    models = [_short(_model(one.run).rpartition("/")[2]) for one in runs]
    return [
        model if models.count(model) == 1 else _short(one.run.path.resolve().name)
        for model, one in zip(models, runs, strict=True)
    ]


def looks(runs: Sequence[Frames]) -> Sequence[Look]:
    """Return how each run is drawn. Raises ConfigError where they are too many for one chart."""
    if len(runs) > len(SERIES):
        most = f"a chart shows {len(SERIES)} runs at most, not {len(runs)}"
        raise ConfigError(most, hint="draw some of them at a time")
    return SERIES[: len(runs)]


def captions(runs: Sequence[Frames]) -> list[str]:
    """Say what was run, a line a run."""
    if len(runs) == 1:
        return [caption(runs[0].run)]
    told = zip(names(runs), runs, strict=True)
    return [f"{name}: {caption(one.run)}" for name, one in told]


def score(run: Frames) -> Interval:
    """Return the share of planned attempts that were resolved, with its 95 % Wilson interval."""
    return wilson(int(run.attempts["resolved"].sum()), len(run.attempts))


def size_b(run: Frames) -> tuple[float | None, float | None]:
    """Return total and active parameters in billions, as the runner tells them."""
    runner = run.run.manifest.get("runner")
    told = runner if isinstance(runner, dict) else {}
    total, active = (told.get(f"{kind}_params_b") for kind in ("total", "active"))
    return (
        float(total) if isinstance(total, int | float) else None,
        float(active) if isinstance(active, int | float) else None,
    )


def beside_published(runs: Sequence[Frames]) -> list[str]:
    """Say what a reader has to know of runs that stand beside published scores."""
    if not runs:
        return []
    lines = ["Own runs carry their 95% Wilson interval over attempts.", *captions(runs)]
    for name, one in zip(names(runs), runs, strict=True):
        suite, whole = one.run.manifest.get("suite"), one.run.manifest.get("suite_tasks")
        count = plural(len(one.run.selected), "task")
        if not str(suite).startswith(PRO):
            lines.append(f"{name}: suite {suite}, whose scores do not compare with these.")
        elif whole not in {None, len(one.run.selected)} or suite != PRO:
            lines.append(f"{name}: {count}, where the others ran all 731.")
    return lines


def gid(kind: str, name: str) -> str:
    """Return the id of an artist in the SVG."""
    return f"{kind}-{re.sub('[^A-Za-z0-9.]+', '-', name)}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _model(run: Run) -> str:
    return legible(str(run.manifest.get("model", run.path.name)))

"""What a resolved attempt cost."""

from evalkit.reporting.engine import engine_figures
from evalkit.reporting.run import Run
from evalkit.stats import wilson
from evalkit.types import Outcome, Record


class Cost(Record):
    """Money spent on the engine's GPUs; in whatever currency the runner's price has."""

    price_per_gpu_hour: float
    gpus: int
    engine_hours: float
    """In which an engine was up; boots and restarts are left out."""
    spent: float
    resolved: int
    each: float | None
    """A resolved attempt; None where none was resolved."""
    each_low: float
    """By the upper end of the score's 95 % Wilson interval."""
    each_high: float | None
    """By its lower end; None where that is 0."""


def cost_of_resolved(run: Run) -> Cost | None:
    """Work out price x GPUs x hours / resolved; None where the run does not tell all of them."""
    runner = run.manifest.get("runner")
    price = runner.get("price_per_gpu_hour") if isinstance(runner, dict) else None
    wall_s = engine_figures(run).wall_s
    if not isinstance(price, int | float) or not run.gpus or wall_s is None:
        return None
    resolved = sum(result.outcome is Outcome.RESOLVED for result in run.results)
    planned = len(run.selected) * run.attempts
    rate, spent = wilson(resolved, planned), price * run.gpus * wall_s / 3600
    return Cost(
        price_per_gpu_hour=price,
        gpus=run.gpus,
        engine_hours=wall_s / 3600,
        spent=spent,
        resolved=resolved,
        each=spent / resolved if resolved else None,
        each_low=spent / (rate.high * planned),
        each_high=spent / (rate.low * planned) if rate.low > 0 else None,
    )

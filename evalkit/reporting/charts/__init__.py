"""Charts: functions that take frames and return figures. Imports matplotlib and pandas.

A chart is None where the run has no data for it. `docs/library.md` shows each.
"""

from evalkit.reporting.charts.bars import benchmarks
from evalkit.reporting.charts.budgets import resolved_by_tokens, resolved_by_turns
from evalkit.reporting.charts.concurrency import tokens_by_concurrency
from evalkit.reporting.charts.costs import cost_of_a_resolved_task
from evalkit.reporting.charts.counts import outcomes
from evalkit.reporting.charts.groups import outcomes_by, scores_by
from evalkit.reporting.charts.sets import published_sets
from evalkit.reporting.charts.sizes import score_against_size
from evalkit.reporting.charts.speed import tokens_per_second
from evalkit.reporting.charts.times import time_split
from evalkit.reporting.charts.turns import score_against_turns
from evalkit.reporting.charts.written import save, write_charts
from evalkit.reporting.published import pro_scores, published

__all__ = [
    "benchmarks",
    "cost_of_a_resolved_task",
    "outcomes",
    "outcomes_by",
    "pro_scores",
    "published",
    "published_sets",
    "resolved_by_tokens",
    "resolved_by_turns",
    "save",
    "score_against_size",
    "score_against_turns",
    "scores_by",
    "time_split",
    "tokens_by_concurrency",
    "tokens_per_second",
    "write_charts",
]

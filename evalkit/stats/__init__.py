"""Statistics of runs: pure functions, no I/O or clock; randomness by a given seed alone.

Importing this loads neither numpy nor scipy: functions that need them import them.
"""

from evalkit.stats.clustered import Spread, clustered, spread, without_each_repo
from evalkit.stats.paired import (
    Difference,
    McNemar,
    TaskPair,
    drop_p,
    mcnemar,
    pair_up,
    paired_bootstrap,
    tried_once,
)
from evalkit.stats.passes import OfK, mean_pass_at_k, mean_pass_hat_k, pass_at_k, pass_hat_k
from evalkit.stats.power import Deciding, deciding, minimum_detectable_drop
from evalkit.stats.rates import Interval, wilson
from evalkit.stats.simulate import Caught, simulate_drop
from evalkit.stats.speed import Span, busy_seconds, busy_tok_s, output_tok_s
from evalkit.stats.tries import TaskTries

__all__ = [
    "Caught",
    "Deciding",
    "Difference",
    "Interval",
    "McNemar",
    "OfK",
    "Span",
    "Spread",
    "TaskPair",
    "TaskTries",
    "busy_seconds",
    "busy_tok_s",
    "clustered",
    "deciding",
    "drop_p",
    "mcnemar",
    "mean_pass_at_k",
    "mean_pass_hat_k",
    "minimum_detectable_drop",
    "output_tok_s",
    "pair_up",
    "paired_bootstrap",
    "pass_at_k",
    "pass_hat_k",
    "simulate_drop",
    "spread",
    "tried_once",
    "wilson",
    "without_each_repo",
]

"""Other people's results, as frames. Imports pandas: import it only where frames are made.

Each set comes from one place and was made in one way. Scores of two sets differ by harness, prompt
and limits as well as by model, so a chart that shows several says so.
"""

from pathlib import Path

import pandas as pd

from evalkit.config.content import content_root
from evalkit.errors import StoreError

SIZES = "swebench_pro_score_vs_size"
"""Blog figure: `model total_params_b active_params_b score_pct scaffold`; no size where unknown."""
TURNS = "swebench_pro_turns"
"""Blog figure: `model score_pct whisker_low q1 median q3 whisker_high`, the last five in turns."""
BENCHMARKS = "benchmarks_figure"
"""Blog figure: `benchmark` and a column a model, in percent."""
PAPER = "arxiv_table4"
"""Table 4 of arXiv 2603.00729v1: `model multilingual_swe_agent pro_swe_agent pro_mini_swe_agent`."""
LEADERBOARD = "scale_leaderboard"
"""The benchmark's own page: `model score_pct margin_pct`, the margin one half of the interval."""
REPRODUCTIONS = "reproductions"
"""A third party's three runs of a model: `model run1 run2 run3 mean`, in percent."""
SPEED = "serving_speed"
"""`model hardware load output_tok_per_s ttft_ms itl_ms`."""

SCORES = ("set", "model", "score_pct", "low_pct", "high_pct")
"""Columns of `pro_scores`."""


def published(name: str, folder: Path | None = None) -> pd.DataFrame:
    """Read one set, a row a line; `source` says where each comes from.

    `folder` takes the place of the one that ships with evalkit. Raises StoreError where there is
    no such set.
    """
    path = (folder or content_root() / "reports" / "published") / f"{name}.csv"
    if not path.is_file():
        there = ", ".join(sorted(one.stem for one in path.parent.glob("*.csv")))
        raise StoreError(f"{path} is not there", hint=f"published sets: {there or 'none'}")
    return pd.read_csv(path)


def pro_scores(folder: Path | None = None) -> pd.DataFrame:
    """Return every published SWE-bench Pro score, set by set, with its range where one is told.

    The range is the leaderboard's own margin, or from the least to the best of repeated runs: not
    the same thing, and NaN for the rest.
    """
    blog = published(SIZES, folder).assign(set="Qwen blog figure, SWE-Agent")
    paper = published(PAPER, folder)
    agent, mini = (
        paper.assign(set=f"arXiv table 4, {scaffold}", score_pct=paper[column])
        for scaffold, column in (
            ("SWE-agent", "pro_swe_agent"),
            ("mini-SWE-agent", "pro_mini_swe_agent"),
        )
    )
    board = published(LEADERBOARD, folder)
    board = board.assign(
        set="Scale's leaderboard (bars: its margin)",
        low_pct=board["score_pct"] - board["margin_pct"],
        high_pct=board["score_pct"] + board["margin_pct"],
    )
    again = published(REPRODUCTIONS, folder)
    each = again[["run1", "run2", "run3"]]
    again = again.assign(
        set="NeMo-Skills, 3 runs (bars: range)",
        score_pct=again["mean"],
        low_pct=each.min(axis=1),
        high_pct=each.max(axis=1),
    )
    parts = [part.reindex(columns=list(SCORES)) for part in (blog, agent, mini, board, again)]
    ranges = dict.fromkeys(("low_pct", "high_pct"), float)
    return pd.concat([part.astype(ranges) for part in parts], ignore_index=True)


def sources(table: pd.DataFrame) -> str:
    """Say where a set's rows come from, for a chart's caption."""
    return f"Published: {'; '.join(dict.fromkeys(table['source']))}."

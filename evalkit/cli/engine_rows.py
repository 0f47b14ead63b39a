"""The rows of a run's summary that are about its engine: name and words."""

from collections.abc import Sequence

from evalkit.reporting.agreement import TOLERANCE, Agreement, Pair
from evalkit.reporting.engine import EngineFigures, Spread

Rows = list[tuple[str, str]]


def speed_rows(figures: EngineFigures) -> Rows:
    """Say how fast the engine was for us; what is not known is left out."""
    rows: Rows = []
    if figures.engine_tok_s is not None:
        gpu = figures.engine_tok_s_gpu
        each = f", {gpu:.1f} for each GPU" if gpu is not None else ""
        rows.append(("engine_tok_s", f"{figures.engine_tok_s:.1f} while an engine was up{each}"))
    if figures.prefill_tok_s is not None:
        words = f"{figures.prefill_tok_s:,.1f} fresh prompt tokens a second of waiting"
        rows.append(("prefill_tok_s", words))
    if figures.decode_tok_s is not None:
        rows.append(("decode_tok_s", f"{figures.decode_tok_s:.1f} for each stream"))
    if figures.cache_hit_rate is not None:
        rows.append(("cache hit rate", f"{figures.cache_hit_rate:.1%} of prompt tokens"))
    if figures.ttft_s is not None:
        rows.append(("ttft_s", f"{_spread(figures.ttft_s)}, queueing included"))
    if figures.itl_s is not None:
        rows.append(("itl_s", f"{_spread(figures.itl_s)}, each turn's mean"))
    return rows


def agreement_rows(agreements: Sequence[Agreement]) -> Rows:
    """Hold the engine's counters against what was received, a row a start of the engine."""
    several = len(agreements) > 1
    return [
        (f"engine's counter #{one.incarnation}" if several else "engine's counter", _agreement(one))
        for one in agreements
    ]


def _agreement(one: Agreement) -> str:
    received = one.received
    parts = (
        f"{received.turns.completion_tokens:,} in turns, "
        f"{received.probes.completion_tokens:,} in probes, "
        f"{received.repeated.completion_tokens:,} in repeated turns"
    )
    if one.completion is None:
        return f"not told; received {parts}"
    words = "within" if one.completion.agrees else "NOT within"
    lines = [f"{_pair(one.completion, 'out')}, {words} {TOLERANCE:.0%}", parts]
    if one.prompt:
        lines.append(_pair(one.prompt, "in"))
    return "\n".join(lines)


def _pair(pair: Pair, way: str) -> str:
    return f"{pair.engine:,} {way}, {pair.received:,} received: {abs(pair.difference):.2%} apart"


def _spread(spread: Spread) -> str:
    return f"{spread.median:.3g} (median), {spread.p95:.3g} (95th percentile)"

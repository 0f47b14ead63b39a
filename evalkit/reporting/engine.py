"""How fast the engine was for us, from the turns' own records and the times it ran."""

from collections.abc import Iterable, Sequence
from statistics import quantiles

from evalkit.reporting.run import Run, Turn
from evalkit.types import Incarnation, Record


class Spread(Record):
    """Of many values, the middle one and the one that 95 of 100 stay below."""

    median: float
    p95: float


class EngineFigures(Record):
    """Of turns that rollouts went on with; probes and repeated tries are left out.

    A figure is None where no turn tells it.
    """

    wall_s: float | None
    """Seconds in which an engine was up, summed over its starts: from its probe's answer to its
    end. Boots and restarts are left out, and time in which nobody asked is not."""
    engine_tok_s: float | None
    """Completion tokens a second of `wall_s`."""
    engine_tok_s_gpu: float | None
    """The same for each GPU; None on CPU or where the GPUs are not known."""
    prefill_tok_s: float | None
    """Prompt tokens not held by the cache, a second of waiting for a first token. The wait
    contains queueing, and turns wait side by side: what one turn sees, not what the engine can."""
    decode_tok_s: float | None
    """Tokens after a turn's first, a second from the first to the last: of one stream, not of all
    that run side by side."""
    cache_hit_rate: float | None
    """Cached prompt tokens of all prompt tokens, 0 to 1, as far as the engine tells them."""
    ttft_s: Spread | None
    """Seconds from asking to the first token, queueing included, over turns."""
    itl_s: Spread | None
    """Seconds between two tokens: each turn's mean, over turns."""


def engine_figures(run: Run) -> EngineFigures:
    """Work out a run's figures."""
    turns = run.requests
    wall_s = sum(_ended(one, run) - one.started for one in run.incarnations)
    tok_s = _per(sum(turn.completion_tokens for turn in turns), wall_s)
    prompt = sum(turn.prompt_tokens for turn in turns)
    return EngineFigures(
        wall_s=wall_s or None,
        engine_tok_s=tok_s,
        engine_tok_s_gpu=tok_s / run.gpus if tok_s and run.gpus else None,
        prefill_tok_s=_prefill_tok_s(turns),
        decode_tok_s=_decode_tok_s(turns),
        cache_hit_rate=_per(sum(turn.cached_tokens for turn in turns), prompt),
        ttft_s=_spread(turn.ttft_s for turn in turns),
        itl_s=_spread(turn.itl_s for turn in turns),
    )


def _ended(one: Incarnation, run: Run) -> float:
    """Return when an incarnation ended, or where nobody wrote it down, was last seen (unix s)."""
    if one.ended is not None:
        return one.ended
    looks = [sample.t for sample in run.samples if sample.incarnation == one.number]
    turns = [turn.end for turn in run.requests if turn.incarnation == one.number]
    return max([one.started, *looks, *turns])


def _prefill_tok_s(turns: Iterable[Turn]) -> float | None:
    streamed = [(turn, turn.ttft_s) for turn in turns if turn.ttft_s is not None]
    fresh = sum(turn.prompt_tokens - turn.cached_tokens for turn, _ in streamed)
    return _per(fresh, sum(ttft_s for _, ttft_s in streamed))


def _decode_tok_s(turns: Iterable[Turn]) -> float | None:
    several = [
        (turn.completion_tokens - 1, turn.end - turn.start - turn.ttft_s)
        for turn in turns
        if turn.ttft_s is not None and turn.completion_tokens > 1
    ]
    return _per(sum(tokens for tokens, _ in several), sum(seconds for _, seconds in several))


def _per(amount: float, of: float) -> float | None:
    return amount / of if of > 0 else None


def _spread(values: Iterable[float | None]) -> Spread | None:
    known: Sequence[float] = [value for value in values if value is not None]
    if not known:
        return None
    if len(known) == 1:
        return Spread(median=known[0], p95=known[0])
    twentieths = quantiles(known, n=20, method="inclusive")
    return Spread(median=twentieths[9], p95=twentieths[18])

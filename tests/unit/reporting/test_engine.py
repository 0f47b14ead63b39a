"""Figures of the engine, from a recorded run with a restart."""

from typing import Any

import pytest

from evalkit.reporting.engine import EngineFigures, Spread, engine_figures
from evalkit.reporting.load import load_run
from evalkit.types import EngineSample, Incarnation
from tests.unit.reporting.conftest import WriteRun, turn

TURNS = [
    turn(1010, 1020, 41, prompt_tokens=100, cached_tokens=0, ttft_s=2.0, itl_s=0.2),
    turn(1030, 1034, 21, prompt_tokens=150, cached_tokens=100, ttft_s=1.0, itl_s=0.15),
    turn(1220, 1222, 1, prompt_tokens=250, cached_tokens=150, ttft_s=2.0, incarnation=2),
]
"""63 tokens; of 500 prompt tokens 250 fresh; 5 s of waiting, then 60 tokens in 11 s."""


def start(number: int, started: float, ended: float | None = None) -> dict[str, Any]:
    one = Incarnation(number=number, started=started, ended=ended, max_model_len=4096)
    return one.model_dump(mode="json")


def _figures(write_run: WriteRun, **engine: Any) -> EngineFigures:
    facts = {"incarnations": [start(1, 1000, 1100), start(2, 1200, 1226)], **engine}
    return engine_figures(load_run(write_run(turns=TURNS, engine=facts)))


def test_wall_time_of_the_engine_leaves_restarts_out(write_run: WriteRun) -> None:
    assert _figures(write_run).wall_s == 126


def test_tokens_a_second_are_of_that_time(write_run: WriteRun) -> None:
    assert _figures(write_run).engine_tok_s == 0.5


def test_they_are_shared_out_over_the_gpus(write_run: WriteRun) -> None:
    assert _figures(write_run, gpus=8).engine_tok_s_gpu == 0.0625


def test_on_cpu_there_is_no_figure_for_a_gpu(write_run: WriteRun) -> None:
    assert _figures(write_run, gpus=0).engine_tok_s_gpu is None


def test_prefill_is_fresh_tokens_over_the_wait_for_the_first(write_run: WriteRun) -> None:
    assert _figures(write_run).prefill_tok_s == 50


def test_decode_is_the_tokens_after_the_first_over_their_time(write_run: WriteRun) -> None:
    assert _figures(write_run).decode_tok_s == pytest.approx(60 / 11)


def test_the_cache_hit_rate_is_of_prompt_tokens(write_run: WriteRun) -> None:
    assert _figures(write_run).cache_hit_rate == 0.5


def test_the_wait_for_a_first_token_is_told_by_its_middle_and_its_tail(
    write_run: WriteRun,
) -> None:
    assert _figures(write_run).ttft_s == Spread(median=2.0, p95=2.0)


def test_turns_of_one_token_have_no_time_between_tokens(write_run: WriteRun) -> None:
    spread = _figures(write_run).itl_s
    assert spread is not None
    assert (spread.median, spread.p95) == pytest.approx((0.175, 0.1975))


def test_one_turn_is_its_own_middle_and_tail(write_run: WriteRun) -> None:
    run = load_run(write_run(turns=TURNS[:1]))
    assert engine_figures(run).ttft_s == Spread(median=2.0, p95=2.0)


@pytest.mark.parametrize(("looked_at", "wall_s"), [([], 22), ([1150, 1230, 1240], 40)])
def test_where_no_end_was_written_down_it_is_when_the_engine_was_last_seen(
    write_run: WriteRun, looked_at: list[float], wall_s: float
) -> None:
    samples = [EngineSample(t=t, incarnation=1 if t < 1200 else 2) for t in looked_at]
    folder = write_run(turns=TURNS, samples=samples, engine={"incarnations": [start(2, 1200)]})
    assert engine_figures(load_run(folder)).wall_s == wall_s


def test_a_run_without_turns_has_no_figures(write_run: WriteRun) -> None:
    figures = engine_figures(load_run(write_run()))
    assert set(figures.model_dump().values()) == {None}

import shutil
from pathlib import Path

import pytest

from evalkit.config.content import content_root
from evalkit.errors import StoreError
from evalkit.reporting import published as sets
from evalkit.reporting.published import SCORES, pro_scores, published, sources

SHARED = Path(__file__).parents[4] / "shared" / "published"
ALL = [sets.SIZES, sets.TURNS, sets.BENCHMARKS, sets.PAPER, sets.LEADERBOARD, sets.REPRODUCTIONS]


@pytest.mark.parametrize("name", [*ALL, sets.SPEED])
def test_every_row_has_its_source(name: str) -> None:
    assert published(name)["source"].str.len().gt(0).all()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the collected data is not here")
@pytest.mark.parametrize("name", ALL)
def test_numbers_are_those_that_were_collected(name: str) -> None:
    assert published(name).equals(published(name, SHARED))


def test_a_size_that_nobody_tells_is_not_a_number() -> None:
    table = published(sets.SIZES).set_index("model")
    assert table["total_params_b"].isna().to_dict()["Claude-Opus-4.5"]


def test_another_folder_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "reproductions.csv").write_text("model,mean\nmine,3\n")
    assert list(published(sets.REPRODUCTIONS, tmp_path)["model"]) == ["mine"]


def test_an_unknown_set_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(StoreError, match=r"nothing\.csv") as caught:
        published("nothing")
    assert "scale_leaderboard" in caught.value.hint


def test_a_source_is_named_once() -> None:
    assert (
        sources(published(sets.SIZES)) == "Published: Qwen blog figure swebench_pro.png, Feb 2026."
    )


def test_scores_of_one_model_stay_apart_by_set() -> None:
    scores = pro_scores()
    found = scores[scores["model"] == "Qwen3-Coder-Next"]
    assert list(found["score_pct"]) == [44.3, 42.7, 38.7, 39.9]


def test_scores_say_what_their_columns_say() -> None:
    assert tuple(pro_scores().columns) == SCORES


def test_the_leaderboards_margin_is_its_range() -> None:
    scores = pro_scores().set_index("model")
    row = scores.loc["Claude 4.5 Sonnet"]
    assert (row["low_pct"], row["high_pct"]) == pytest.approx((43.72 - 3.6, 43.72 + 3.6))


def test_repeated_runs_range_from_the_least_to_the_best() -> None:
    scores = pro_scores()
    row = scores[(scores["model"] == "MiniMax-M2.5")].iloc[0]
    assert (row["low_pct"], row["high_pct"]) == (45.4, 50.2)


def test_a_score_without_a_range_has_none() -> None:
    scores = pro_scores()
    figure = scores[scores["set"].str.startswith("Qwen blog")]
    assert figure[["low_pct", "high_pct"]].isna().all(axis=None)


def test_a_changed_number_is_read(tmp_path: Path) -> None:
    shutil.copytree(content_root() / "reports" / "published", tmp_path / "mine")
    path = tmp_path / "mine" / "scale_leaderboard.csv"
    path.write_text(path.read_text().replace("16.2,2.67", "26.2,2.67"))
    scores = pro_scores(tmp_path / "mine").set_index("model")
    assert scores.loc["gpt-oss-120b", "score_pct"] == 26.2

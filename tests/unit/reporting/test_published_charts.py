import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.config.content import content_root
from evalkit.reporting import published as sets
from evalkit.reporting.charts import (
    benchmarks,
    published_sets,
    save,
    score_against_size,
    score_against_turns,
)
from evalkit.reporting.charts.own import gid
from evalkit.reporting.charts.sizes import FRONTIER, UNKNOWN_B
from evalkit.reporting.published import pro_scores, published
from tests.doubles import pictures
from tests.doubles.drawn import artist, bar, line, misplaced, words

PICTURES = pytest.mark.skipif(
    not pictures.FIGURES.is_dir(), reason="the published pictures are not here"
)
DRAWN = {
    "sizes": lambda folder=None: score_against_size(published(sets.SIZES, folder)),
    "turns": lambda folder=None: score_against_turns(published(sets.TURNS, folder)),
    "benchmarks": lambda folder=None: benchmarks(published(sets.BENCHMARKS, folder)),
    "sets": lambda folder=None: published_sets(pro_scores(folder)),
}
SVG = "{http://www.w3.org/2000/svg}"


def _share(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """Return a point's position as shares of the axes."""
    across, up = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))
    return float(across), float(up)


def _off(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


@PICTURES
@pytest.mark.parametrize("model", list(pictures.ICONS))
def test_points_are_where_the_published_picture_has_them(model: str) -> None:
    figure = DRAWN["sizes"]()
    x, y = line(figure, gid("point", model))[0]
    assert _off(_share(figure.axes[0], x, y), pictures.icons()[model]) < 0.01


@PICTURES
def test_the_frontier_is_where_the_published_picture_has_it() -> None:
    axes = DRAWN["sizes"]().axes[0]
    low, slope = FRONTIER
    right = axes.get_xlim()[1]
    ours = tuple(_share(axes, x, low + slope * x)[1] for x in (6, right))
    assert _off(ours, pictures.frontier()) < 0.01


@PICTURES
@pytest.mark.parametrize("model", list(pictures.WHISKERS))
def test_boxes_are_where_the_published_picture_has_them(model: str) -> None:
    axes = DRAWN["turns"]().axes[0]
    table = published(sets.TURNS).set_index("model")
    keys = ["score_pct", "whisker_low", "q1", "median", "q3", "whisker_high"]
    score, *turns = table.loc[model, keys].to_dict().values()
    ours = (_share(axes, 0, score)[1], *(_share(axes, x, 40)[0] for x in turns))
    assert _off(ours, pictures.boxes()[model]) < 0.01


def test_a_box_is_drawn_at_its_quartiles() -> None:
    box = bar(DRAWN["turns"](), gid("box", "GLM-4.7"))
    assert (box.get_x(), box.get_width()) == (78, 107 - 78)


@PICTURES
@pytest.mark.parametrize("model", list(pictures.BARS))
def test_bars_are_where_the_published_picture_has_them(model: str) -> None:
    figure = DRAWN["benchmarks"]()
    off = []
    there = zip(published(sets.BENCHMARKS)["benchmark"], pictures.bars()[model], strict=True)
    for benchmark, position in there:
        found = bar(figure, gid("bar", f"{model}-{benchmark}"))
        middle = found.get_x() + found.get_width() / 2
        off.append(_off(_share(figure.axes[0], middle, found.get_height()), position))
    assert max(off) < 0.01


def test_models_of_unknown_size_stand_under_a_question_mark() -> None:
    axes = DRAWN["sizes"]().axes[0]
    ticks = dict(zip(axes.get_xticks(), axes.get_xticklabels(), strict=True))
    assert ticks[UNKNOWN_B].get_text() == "?"


@pytest.mark.parametrize("chart", list(DRAWN))
def test_no_text_lies_on_another_or_leaves_the_page(chart: str) -> None:
    assert misplaced(DRAWN[chart]()) == []


def _place(figure: Figure, name: str, folder: Path) -> tuple[float, float]:
    """Return where the SVG has a point or the first corner of a shape, in its own units."""
    _, svg = save(figure, folder / "chart")
    root = ElementTree.parse(svg).getroot()
    (group,) = (one for one in root.iter(f"{SVG}g") if one.get("id") == name)
    use = next(group.iter(f"{SVG}use"), None)
    if use is not None:
        return float(use.get("x", "nan")), float(use.get("y", "nan"))
    path = next(group.iter(f"{SVG}path")).get("d", "")
    numbers = re.findall(r"-?[0-9.]+", path)
    # The third corner of a rectangle: right and top.
    return float(numbers[4]), float(numbers[5])


CHANGES = [
    ("sizes", "swebench_pro_score_vs_size", ("358,32,40.6", "358,32,43.6"), "point-GLM-4.7"),
    ("turns", "swebench_pro_turns", ("45,78,92,107,150", "45,78,92,127,150"), "box-GLM-4.7"),
    ("benchmarks", "benchmarks_figure", ("69.9,52.1", "69.9,42.1"), "bar-GLM-4.7-Aider"),
    (
        "sets",
        "scale_leaderboard",
        ("35.52,3.47", "25.52,3.47"),
        "point-Scale-s-leaderboard-bars-its-margin-GLM-4.5",
    ),
]


@pytest.mark.parametrize(("chart", "name", "change", "point"), CHANGES)
def test_changing_a_number_in_a_csv_moves_its_point(
    chart: str, name: str, change: tuple[str, str], point: str, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(content_root() / "reports" / "published", mine)
    path = mine / f"{name}.csv"
    assert path.read_text().count(change[0]) == 1
    path.write_text(path.read_text().replace(*change))
    places = [_place(DRAWN[chart](folder), point, tmp_path) for folder in (None, mine)]
    assert max(abs(a - b) for a, b in zip(*places, strict=True)) > 5


@pytest.mark.parametrize("chart", list(DRAWN))
def test_the_same_data_gives_the_same_bytes(chart: str, tmp_path: Path) -> None:
    files = [save(DRAWN[chart](), tmp_path / str(number)) for number in range(2)]
    first, second = [[path.read_bytes() for path in pair] for pair in files]
    assert first == second


def test_an_svg_bears_no_date(tmp_path: Path) -> None:
    _, svg = save(DRAWN["sizes"](), tmp_path / "chart")
    assert "dc:date" not in svg.read_text()


def test_a_range_is_drawn_as_it_was_published() -> None:
    ends = line(DRAWN["sets"](), "range-Scale-s-leaderboard-bars-its-margin-Claude-4.5-Sonnet")
    assert list(ends[:, 0]) == pytest.approx([43.72 - 3.6, 43.72 + 3.6])


def test_sets_are_apart_and_the_chart_says_so() -> None:
    told = words(DRAWN["sets"]())
    assert ("compare within a set only" in told, "arXiv table 4, SWE-agent" in told) == (True, True)


def test_a_model_that_is_added_to_the_data_is_drawn() -> None:
    new = {"model": "new", "total_params_b": 500.0, "score_pct": 45.0, "source": "a test"}
    figure = score_against_size(pd.concat([published(sets.SIZES), pd.DataFrame([new])]))
    assert artist(figure, "point-new").get_visible()

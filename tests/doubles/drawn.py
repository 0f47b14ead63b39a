"""What a figure shows, for tests."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text


def texts(figure: Figure) -> list[Text]:
    """The texts that are drawn: not the labels of ticks beyond an axis's ends."""
    return [text for text in _all(figure) if text.get_text() and text.get_visible()]


def _all(figure: Figure) -> Iterator[Text]:
    yield from figure.texts
    for axes in figure.axes:
        yield from (*axes.texts, axes.xaxis.label, axes.yaxis.label)
        legend = axes.get_legend()
        yield from legend.get_texts() if legend else ()
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if low <= tick.get_loc() <= high:
                    yield tick.label1


def words(figure: Figure | None) -> str:
    """All texts, one after the other."""
    assert figure is not None
    return " ".join(text.get_text() for text in texts(figure)).replace("\u00a0", " ")


def misplaced(figure: Figure) -> list[tuple[str, ...]]:
    """Texts that leave the page, and pairs of texts that lie on each other."""
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    page = figure.bbox.padded(1)
    outside = [
        (told,) for told, box in boxes if not (page.contains(*box.min) and page.contains(*box.max))
    ]
    return outside + [
        (a, b) for (a, one), (b, other) in combinations(boxes, 2) if one.overlaps(other)
    ]


def artist(figure: Figure, gid: str) -> Artist:
    """The one artist of this id."""
    (found,) = figure.findobj(lambda one: one.get_gid() == gid)
    return found


def line(figure: Figure, gid: str) -> np.ndarray:
    """The points of the one line of this id: x, y a row."""
    found = artist(figure, gid)
    assert isinstance(found, Line2D)
    return np.asarray(found.get_xydata(), dtype=float)


def bar(figure: Figure, gid: str) -> Rectangle:
    """The one rectangle of this id."""
    found = artist(figure, gid)
    assert isinstance(found, Rectangle)
    return found

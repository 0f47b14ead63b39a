"""Labels of points that lie on nothing else."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

_AWAY = 8  # points between a point and its label
_CLEAR = 4  # pixels round whatever a label must not lie on


class Label(NamedTuple):
    """Words about a point, both in data coordinates."""

    words: str
    x: float
    y: float
    colour: str
    weight: str = "normal"


def place(
    axes: Axes, labels: Sequence[Label], *, clear: Sequence[Bbox] = (), size: float = 8.5
) -> None:
    """Write each label beside its point: on no point, no label, and none of `clear`.

    `clear` is in data coordinates. Where no place is free the label goes to the right. Call this
    once the axes have their limits.
    """
    points = [Bbox.from_extents(label.x, label.y, label.x, label.y) for label in labels]
    taken = [axes.transData.transform_bbox(box).padded(_CLEAR) for box in (*points, *clear)]
    taken += [text.get_window_extent() for text in axes.texts]
    for label in labels:
        taken.append(_write(axes, label, taken, size))


def _write(axes: Axes, label: Label, taken: Sequence[Bbox], size: float) -> Bbox:
    text = axes.annotate(
        label.words,
        (label.x, label.y),
        textcoords="offset points",
        xytext=(_AWAY, 0),
        size=size,
        color=label.colour,
        weight=label.weight,
        path_effects=[withStroke(linewidth=2, foreground="white")],
    )
    figure = axes.get_figure(root=True)
    assert figure is not None
    right = figure.bbox.x1
    for x, y, ha, va in _places():
        text.set(position=(x, y), ha=ha, va=va)
        box = text.get_window_extent()
        inside = axes.bbox.x0 <= box.x0 and box.x1 <= right
        inside = inside and axes.bbox.y0 <= box.y0 and box.y1 <= axes.bbox.y1
        if inside and not any(box.overlaps(other) for other in taken):
            return box
    text.set(position=(_AWAY, 0), ha="left", va="center")
    return text.get_window_extent()


def _places() -> Iterator[tuple[float, float, str, str]]:
    yield _AWAY, 0, "left", "center"
    yield -_AWAY, 0, "right", "center"
    for away in range(_AWAY, 10 * _AWAY, _AWAY):
        for y, va in ((away, "bottom"), (-away, "top")):
            for x, ha in ((_AWAY, "left"), (3 * _AWAY, "left"), (0, "center"), (-_AWAY, "right")):
                yield x, y, ha, va

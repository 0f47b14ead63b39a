"""Positions in the published pictures, measured on the pictures themselves.

A position is a share of the axes: x from left, y from below, 0 to 1. Rows, windows and colours are
where a look at the picture finds an icon, a line or a bar; nothing here knows the data.
"""

from pathlib import Path

import numpy as np
from matplotlib.image import imread

FIGURES = Path(__file__).parents[3] / "shared" / "published" / "figures"

ICONS = {
    "Qwen3-Coder-Next": (210, 290, 240, 330),
    "MiniMax M2.1": (350, 430, 690, 770),
    "GLM-4.7": (480, 548, 420, 490),
    "DeepSeek-V3.2": (770, 850, 410, 475),
    "Kimi K2.5": (1090, 1158, 460, 525),
    "Claude-Opus-4.5": (1420, 1490, 145, 210),
    "Claude-Sonnet-4.5": (1420, 1490, 250, 316),
}
"""Windows (left, right, top, bottom; pixels) that hold one model's icon and nothing else."""
WHISKERS = {
    "Qwen3-Coder-Next": (239, 500),
    "DeepSeek-V3.2": (582, 340),
    "GLM-4.7": (612, 400),
    "Kimi-K2.5": (692, 300),
}
"""The row of a model's whiskers, and a column in which they are."""
BARS = {"Qwen3-Coder-Next": 195, "DeepSeek-V3.2": 255, "GLM-4.7": 313, "MiniMax M2.1": 371}
"""A column within a model's bar in the first group; its colour is that model's."""


def icons() -> dict[str, tuple[float, float]]:
    """Where each model's icon is in swebench_pro.png."""
    image = _read("swebench_pro.png")
    left, right = 145.5, _runs(_like(image[30], (245, 250, 252)))[-1][1]
    top, *_, bottom = [_middle(tick) for tick in _runs(image[:, 140].sum(axis=1) < 400)]
    where = {}
    for model, (x0, x1, y0, y1) in ICONS.items():
        rows, columns = np.nonzero(image[y0:y1, x0:x1].min(axis=2) < 225)
        x = x0 + (columns.min() + columns.max()) / 2
        y = y0 + (rows.min() + rows.max()) / 2
        where[model] = ((x - left) / (right - left), (bottom - y) / (bottom - top))
    return where


def frontier() -> tuple[float, float]:
    """How high the shaded region begins at x = 0, and at the right end, in swebench_pro.png."""
    image = _read("swebench_pro.png")
    top, *_, bottom = [_middle(tick) for tick in _runs(image[:, 140].sum(axis=1) < 400)]
    ends = (_runs(_like(image[:, x], (245, 250, 252)))[-1][1] for x in (180, 1784))
    first, last = ((bottom - end) / (bottom - top) for end in ends)
    return first, last


def boxes() -> dict[str, tuple[float, ...]]:
    """y, and x of whisker, quartile, median, quartile, whisker in swebench_pro_vs_turns.png."""
    image = _read("swebench_pro_vs_turns.png")
    (spine,) = _runs(image[893].sum(axis=1) < 300)
    (upright,) = _runs(image[:, 164].sum(axis=1) < 300)
    (left, right), (top, bottom) = spine, upright
    where = {}
    for model, (y, x) in WHISKERS.items():
        low, middle, high = _runs(_like(image[y], image[y, x], within=12))
        ends = (low[0], low[1], _middle(middle), high[0], high[1])
        across = ((end - left) / (right - left) for end in ends)
        where[model] = ((bottom - y) / (bottom - top), *across)
    return where


def bars() -> dict[str, list[tuple[float, float]]]:
    """Middle and height of each model's bars, group by group, in benchmarks.png."""
    image = _read("benchmarks.png")
    left, right, top, bottom = 95.0, 1797.0, 46.0, 654.0
    where: dict[str, list[tuple[float, float]]] = {}
    for model, column in BARS.items():
        alike = _like(image, image[630, column], within=6)
        where[model] = [
            (
                ((first + last) / 2 - left) / (right - left),
                (bottom - _runs(alike[:, first + 6])[0][0]) / (bottom - top),
            )
            for first, last in _runs(alike[630])
        ]
    return where


def _read(name: str) -> np.ndarray:
    return np.round(imread(FIGURES / name)[..., :3] * 255).astype(int)


def _like(
    pixels: np.ndarray, colour: tuple[int, int, int] | np.ndarray, within: int = 1
) -> np.ndarray:
    near: np.ndarray = np.abs(pixels - colour).max(axis=-1) <= within
    return near


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """First and last of each stretch of true values."""
    true = np.flatnonzero(mask)
    parts = np.split(true, np.flatnonzero(np.diff(true) > 1) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts if len(part) > 1]


def _middle(stretch: tuple[int, int]) -> float:
    return sum(stretch) / 2

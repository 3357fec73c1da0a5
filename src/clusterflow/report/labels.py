"""Where the labels of a diagram go, so that none covers another or a bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP_IN = 0.05
_BAR_IN = 0.035
_STEP_IN = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
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
) -> tuple[Placed, ...]:
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
    placed: list[Placed] = []
    for bar, height in zip(bars_in, heights_in, strict=True):
        place = _nearest_free(bar, height, taken)
        taken.append((place.bottom_in, place.top_in))
        placed.append(place)
    return tuple(placed)


def wrap_state(state: str, width: int) -> str:
    r"""A state broken at its plus signs into lines of at most `width` characters.

    >>> wrap_state("*CO + H2O(l)", 8)
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


def _nearest_free(
    bar: float, height: float, taken: Sequence[tuple[float, float]]
) -> Placed:
    """The free place closest to a bar, above before below."""
    # Each taken interval blocks a finite span, so a large enough shift is free.
    shift = 0.0
    while True:
        for bottom in (bar + _GAP_IN + shift, bar - _GAP_IN - shift - height):
            if all(bottom >= high or bottom + height <= low for low, high in taken):
                return Placed(
                    bottom_in=bottom, height_in=height, displaced=shift > 2 * _STEP_IN
                )
        shift += _STEP_IN

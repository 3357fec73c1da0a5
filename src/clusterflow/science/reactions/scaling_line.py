"""Scaling relations: the free energy of one adsorbate against that of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

# Two points always lie on a line, so a line through them says nothing.
FEWEST_POINTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A least-squares line y = slope · x + intercept, and how far the points lie off.

    `r_squared` is None where all y are one: there is nothing to explain.
    """

    slope: float
    intercept: float
    r_squared: float | None
    mean_absolute_error: float
    n_points: int


def fit_line(x: Sequence[float], y: Sequence[float]) -> tuple[Line | None, str]:
    """The least-squares line through some points, or None and why there is none.

    Examples
    --------
    >>> line, _ = fit_line([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])
    >>> round(line.slope, 9), round(line.intercept, 9), round(line.r_squared, 9)
    (2.0, 1.0, 1.0)
    >>> fit_line([0.0, 1.0], [1.0, 3.0])
    (None, '2 points; a line needs 3')
    """
    if len(x) < FEWEST_POINTS:
        return None, f"{len(x)} points; a line needs {FEWEST_POINTS}"
    if np.ptp(x) == 0:
        return None, f"all {len(x)} points have one x"
    slope, intercept = np.polyfit(x, y, 1)
    off = np.asarray(y) - (slope * np.asarray(x) + intercept)
    spread = float(((np.asarray(y) - np.mean(y)) ** 2).sum())
    line = Line(
        slope=float(slope),
        intercept=float(intercept),
        r_squared=1 - float((off**2).sum()) / spread if spread > 0 else None,
        mean_absolute_error=float(np.abs(off).mean()),
        n_points=len(x),
    )
    return line, ""

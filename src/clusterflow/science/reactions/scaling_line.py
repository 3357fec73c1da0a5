"""Scaling relations: the free energy of one adsorbate against that of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

# Two points always lie on a line, so a line through them says nothing.
FEWEST_POINTS = 3
# Of fewer points the interval of a slope is wider than slopes differ: with two degrees
# of freedom, Student's t is 2.9, with one 6.3.
FEW_POINTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A least-squares line y = slope · x + intercept, and how far the points lie off.

    `slope_low` and `slope_high` are the ends of the slope's 90 % interval by Student's
    t, for independent errors of one size in y. `r_squared` is None where all y are one:
    there is nothing to explain.
    """

    slope: float
    slope_low: float
    slope_high: float
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
    from scipy.special import stdtrit

    if len(x) < FEWEST_POINTS:
        return None, f"{len(x)} points; a line needs {FEWEST_POINTS}"
    if np.ptp(x) == 0:
        return None, f"all {len(x)} points have one x"
    slope, intercept = np.polyfit(x, y, 1)
    off = np.asarray(y) - (slope * np.asarray(x) + intercept)
    spread = float(((np.asarray(y) - np.mean(y)) ** 2).sum())
    deviation = np.sqrt((off**2).sum() / (len(x) - 2) / (len(x) * np.var(x)))
    half_width = float(stdtrit(len(x) - 2, 0.95) * deviation)
    line = Line(
        slope=float(slope),
        slope_low=float(slope) - half_width,
        slope_high=float(slope) + half_width,
        intercept=float(intercept),
        r_squared=1 - float((off**2).sum()) / spread if spread > 0 else None,
        mean_absolute_error=float(np.abs(off).mean()),
        n_points=len(x),
    )
    return line, ""

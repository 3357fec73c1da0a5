"""The free energy of one adsorbate against that of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.errors import ClusterflowError
from clusterflow.figures.scatter import Heading, Point, draw_scaling
from clusterflow.figures.sheet import USUAL, Sheet
from clusterflow.figures.text import chem, number
from clusterflow.results.plots.common import (
    Plot,
    describe_conditions,
    describe_origin,
    find_formation,
    list_hole_rows,
    list_missing,
    name_adsorbed,
    split_comparable,
)
from clusterflow.science.reactions.scaling_line import FEW_POINTS, fit_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.results.plots.common import StudyCluster
    from clusterflow.science.reactions.scaling_line import Line


def plot_scaling(
    surfaces: Sequence[StudyCluster], x: str, y: str, sheet: Sheet = USUAL
) -> Plot:
    """The ΔG of one adsorbate against that of another, with the line through them.

    Raises
    ------
    ClusterflowError
        If an adsorbate is not in the results, or no cluster has both.
    """
    x, y = name_adsorbed(x, surfaces), name_adsorbed(y, surfaces)
    alike, missing = split_comparable(surfaces)
    points, rows = [], []
    for surface in alike:
        values = [find_formation(surface, name) for name in (x, y)]
        (at_x, why_not_x), (at_y, why_not_y) = values
        if at_x is None or at_y is None:
            reasons = [f"{n}: {w}" for n, w in ((x, why_not_x), (y, why_not_y)) if w]
            missing.append((surface.name, "; ".join(reasons)))
            continue
        points.append(Point(name=surface.name, x=at_x, y=at_y))
        rows.append(
            {
                **describe_origin(surface),
                "x_species": x,
                "x_dg_ev": at_x,
                "y_species": y,
                "y_dg_ev": at_y,
                "reason": "",
            }
        )
    if not points:
        raise ClusterflowError(
            f"nothing to draw for {x} and {y}: {list_missing(missing)}"
        )
    line, why_not = fit_line([p.x for p in points], [p.y for p in points])
    notes = (f"no line: {why_not}",) if line is None else _describe_line(line, x, y)
    figure = draw_scaling(
        points,
        Heading(
            title=f"{chem(y)} against {chem(x)}",
            conditions=describe_conditions(alike),
            x_label=f"ΔG({chem(x)}) / eV",
            y_label=f"ΔG({chem(y)}) / eV",
            marks=notes,
        ),
        line=line,
        sheet=sheet,
    )
    return Plot(
        figure=figure,
        rows=(*rows, *list_hole_rows(rows, missing)),
        missing=tuple(missing),
        notes=notes,
        line=line,
    )


def _describe_line(line: Line, x: str, y: str) -> tuple[str, ...]:
    r_squared = "" if line.r_squared is None else f", R² = {number(line.r_squared)}"
    sign = "−" if line.intercept < 0 else "+"
    few = line.n_points < FEW_POINTS
    return (
        f"ΔG({chem(y)}) = {number(line.slope)} ΔG({chem(x)}) {sign} "
        f"{number(abs(line.intercept))} eV{r_squared}, "
        f"MAE {number(line.mean_absolute_error)} eV, n = {line.n_points}",
        f"90 % interval of the slope: {number(line.slope_low)} to "
        f"{number(line.slope_high)}"
        + (f"; dashed: fewer than {FEW_POINTS} points" if few else ""),
    )

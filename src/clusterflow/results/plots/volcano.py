"""Limiting potentials against the free energy of an adsorbate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.errors import ClusterflowError
from clusterflow.figures.scatter import Heading, Point, draw_volcano
from clusterflow.figures.text import chem
from clusterflow.results.plots.common import (
    Plot,
    describe_conditions,
    describe_origin,
    find_formation,
    find_results,
    list_hole_rows,
    list_missing,
    name_adsorbed,
    split_comparable,
)
from clusterflow.science.reactions.che import THERMALLY_CLOSED_EV, Electrode
from clusterflow.science.reactions.pathways import no_potential_reason
from clusterflow.units import SCALE_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.records.profiles import ReactionResult
    from clusterflow.results.plots.common import Conditions, StudyCluster
    from clusterflow.results.tables import Row


def plot_volcano(
    surfaces: Sequence[StudyCluster],
    reaction: str,
    descriptor: str,
    conditions: Conditions,
) -> Plot:
    """Limiting potentials of a reaction against the ΔG of an adsorbate.

    Raises
    ------
    ClusterflowError
        If no cluster has the reaction or the adsorbate, or nothing can be drawn.
    """
    descriptor = name_adsorbed(descriptor, surfaces)
    results = find_results(surfaces, reaction, conditions)
    alike, missing = split_comparable(surfaces)
    points, rows = [], []
    for surface in alike:
        result = results.get(surface.name)
        x, why_not = find_formation(surface, descriptor)
        if result is None:
            missing.append((surface.name, f"has no reaction {reaction}"))
        elif result.limiting_potential_v_rhe is None:
            missing.append((surface.name, no_potential_reason(result)))
        elif x is None:
            missing.append((surface.name, f"{descriptor}: {why_not}"))
        else:
            point = _make_volcano_point(surface.name, x, result)
            points.append(point)
            rows.append(_make_volcano_row(surface, descriptor, point, result))
    if not points:
        raise ClusterflowError(
            f"nothing to draw for {reaction}: {list_missing(missing)}"
        )
    first = next(results[s.name] for s in alike if s.name == points[0].name)
    electrode = _make_electrode(first)
    scale = SCALE_NAMES[first.scale]
    scale += "" if first.scale == "rhe" else f", pH {first.ph:g}"
    bases = {row["uncertainty_basis"] for row in rows} - {None}
    kinds = ", ".join(sorted(map(str, bases)))
    notes = [f"point: median, bar: 90 % interval of U_L ({kinds})"]
    equilibrium = first.equilibrium_potential_v_rhe
    figure = draw_volcano(
        points,
        Heading(
            title=f"U_L of {chem(first.equation)}",
            conditions=describe_conditions(alike),
            x_label=f"ΔG({chem(descriptor)}) / eV",
            y_label=f"U_L / V vs {scale}",
            notes=tuple(notes) if bases else (),
        ),
        equilibrium=None if equilibrium is None else electrode.from_rhe(equilibrium),
    )
    return Plot(
        figure=figure,
        rows=(*rows, *list_hole_rows(rows, missing)),
        missing=tuple(missing),
    )


def _make_electrode(result: ReactionResult) -> Electrode:
    return Electrode(
        scale=result.scale, ph=result.ph, temperature_k=result.temperature_k
    )


def _make_volcano_point(name: str, x: float, result: ReactionResult) -> Point:
    assert result.headline_v_rhe is not None
    on_scale = _make_electrode(result).from_rhe
    interval = result.uncertainty
    return Point(
        name=name,
        x=x,
        y=on_scale(result.headline_v_rhe),
        low=None if interval is None else on_scale(interval.lower_v_rhe),
        high=None if interval is None else on_scale(interval.upper_v_rhe),
        blocked=(result.chemical_bottleneck_ev or 0.0) > THERMALLY_CLOSED_EV,
    )


def _make_volcano_row(
    surface: StudyCluster, descriptor: str, point: Point, result: ReactionResult
) -> Row:
    return {
        **describe_origin(surface),
        "reaction": result.reaction,
        "descriptor": descriptor,
        "descriptor_dg_ev": point.x,
        "limiting_potential_median_v": None if point.low is None else point.y,
        "limiting_potential_best_estimate_v": result.limiting_potential_v,
        "limiting_potential_p05_v": point.low,
        "limiting_potential_p95_v": point.high,
        "uncertainty_basis": result.uncertainty.basis if result.uncertainty else None,
        "scale": result.scale,
        "ph": result.ph if result.scale != "rhe" else None,
        "chemical_bottleneck_ev": result.chemical_bottleneck_ev,
        "determining_step": result.determining_step,
        "reason": "",
    }

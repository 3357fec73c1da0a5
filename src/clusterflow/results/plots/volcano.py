"""Limiting potentials against the free energy of an adsorbate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.errors import ClusterflowError
from clusterflow.figures.scatter import MOST_NAMED, Heading, Point, draw_volcano
from clusterflow.figures.sheet import USUAL, Sheet
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
    read_study_clusters,
    split_comparable,
)
from clusterflow.results.plots.legs import (
    describe_leg,
    find_envelope,
    fit_legs,
    sign_of,
)
from clusterflow.science.reactions.che import THERMALLY_CLOSED_EV, Electrode
from clusterflow.science.reactions.pathways import no_potential_reason
from clusterflow.units import SCALE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from clusterflow.figures.scatter import Leg
    from clusterflow.records.profiles import ReactionResult
    from clusterflow.results.plots.common import (
        Conditions,
        LevelChoice,
        StudyCluster,
    )
    from clusterflow.results.tables import Row
    from clusterflow.science.reactions.scaling_line import Line


def read_volcano_clusters(
    folders: Sequence[Path],
    clusters: Sequence[str],
    conditions: Conditions,
    *,
    level: LevelChoice = "study",
) -> list[StudyCluster]:
    """The clusters of a volcano, with the pathways of which its legs are made.

    Of so many that not all have a name only outlines are read, and there are no legs.

    Raises
    ------
    RecordError
        As `read_study_clusters`.
    """
    if not conditions.given:
        found = read_study_clusters(folders, clusters, level=level, in_outline=True)
        if len(found) > MOST_NAMED:
            return found
    # At other conditions the profiles are computed anew, from whole records.
    return read_study_clusters(folders, clusters, level=level)


def plot_volcano(
    surfaces: Sequence[StudyCluster],
    reaction: str,
    descriptor: str,
    conditions: Conditions,
    sheet: Sheet = USUAL,
) -> Plot:
    """Limiting potentials of a reaction against the ΔG of an adsorbate, with legs.

    Raises
    ------
    ClusterflowError
        If no cluster has the reaction or the adsorbate, or nothing can be drawn.
    """
    descriptor = name_adsorbed(descriptor, surfaces)
    results = find_results(surfaces, reaction, conditions)
    alike, missing = split_comparable(surfaces)
    points, rows, drawn = [], [], []
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
            drawn.append((x, result))
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
    # Outlines have no pathways: whatever was read, so many are drawn the same.
    pathway, lines = fit_legs(drawn if len(surfaces) <= MOST_NAMED else [])
    legs = _find_legs(lines, points, sign=sign_of(drawn))
    notes = [f"point: median, bar: 90 % interval of U_L ({kinds})"] if bases else []
    marks = [describe_leg(leg, lines[leg.name]) for leg in legs]
    equilibrium = first.equilibrium_potential_v_rhe
    figure = draw_volcano(
        points,
        Heading(
            title=f"U_L of {chem(first.equation)}",
            conditions=describe_conditions(alike),
            x_label=f"ΔG({chem(descriptor)}) / eV",
            y_label=f"U_L / V vs {scale}",
            notes=tuple(notes),
            marks=tuple(marks),
        ),
        equilibrium=None if equilibrium is None else electrode.from_rhe(equilibrium),
        legs=legs,
        sheet=sheet,
    )
    rows = [{**row, **dict.fromkeys(_LEG_COLUMNS)} for row in rows]
    rows += _list_leg_rows(rows[0], legs, lines)
    said = f"legs: best estimates of {chem(pathway)} on all clusters that have it"
    return Plot(
        figure=figure,
        rows=(*rows, *list_hole_rows(rows, missing)),
        missing=tuple(missing),
        notes=(said, *marks) if legs else (_NO_LEGS,),
    )


_NO_LEGS = f"no legs: they need 3 clusters, and {MOST_NAMED} at the most"
_LEG_COLUMNS = (
    *("leg", "leg_slope_v_per_ev", "leg_slope_p05_v_per_ev", "leg_slope_p95_v_per_ev"),
    *("leg_intercept_v", "leg_n_points"),
)


def _find_legs(
    lines: Mapping[str, Line], points: Sequence[Point], *, sign: int
) -> list[Leg]:
    """The legs over the clusters that are drawn, and not beyond."""
    low, high = min(p.x for p in points), max(p.x for p in points)
    return find_envelope(lines, low, high, sign=sign) if lines and low < high else []


def _list_leg_rows(
    like: Row, legs: Sequence[Leg], lines: Mapping[str, Line]
) -> Iterator[Row]:
    for leg in legs:
        line = lines[leg.name]
        numbers = (line.slope, line.slope_low, line.slope_high, line.intercept)
        cells = (leg.name, *numbers, line.n_points)
        known = {"reaction": like["reaction"], "descriptor": like["descriptor"]}
        known |= {"scale": like["scale"], "ph": like["ph"], "reason": ""}
        yield {
            **dict.fromkeys(like),
            **known,
            **dict(zip(_LEG_COLUMNS, cells, strict=True)),
        }


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

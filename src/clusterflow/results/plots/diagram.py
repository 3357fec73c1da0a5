"""The free-energy diagram of a reaction on some clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clusterflow.errors import ClusterflowError
from clusterflow.figures.diagram import draw_profile
from clusterflow.figures.layout import MAX_NAMED
from clusterflow.figures.overlay import draw_overlay
from clusterflow.figures.sheet import USUAL, Sheet
from clusterflow.results.plots.common import (
    Plot,
    describe_origin,
    find_results,
    list_hole_rows,
    list_missing,
    split_comparable,
)
from clusterflow.science.reactions.network import parse_equation
from clusterflow.science.reactions.pathways import (
    holes,
    no_potential_reason,
    order_pathways,
)
from clusterflow.science.uncertainty.deviations import deviations_of
from clusterflow.science.uncertainty.profile_deviations import profile_half_widths

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.records.profiles import Pathway, ReactionResult
    from clusterflow.results.plots.common import Conditions, StudyCluster
    from clusterflow.results.tables import Row


def plot_diagram(
    surfaces: Sequence[StudyCluster],
    reaction: str,
    conditions: Conditions,
    sheet: Sheet = USUAL,
) -> Plot:
    """Free-energy diagram: all pathways of one cluster, or the best of each of a few.

    Raises
    ------
    ClusterflowError
        If no cluster has the reaction, there are too many to tell apart, or nothing
        can be drawn.
    """
    results = find_results(surfaces, reaction, conditions)
    if len(surfaces) == 1:
        result = results[surfaces[0].name]
        best = order_pathways(result)[0]
        return Plot(
            figure=draw_profile(
                result,
                half_widths_ev=_find_half_widths(surfaces[0], best),
                sheet=sheet,
            ),
            rows=tuple(_list_state_rows(surfaces[0], result, result.pathways)),
            missing=tuple((best.states[index], why) for index, why in holes(best)),
        )
    alike, missing = _split_drawable(surfaces)
    for surface in alike:
        if surface.name not in results:
            missing.append((surface.name, f"has no reaction {reaction}"))
        elif results[surface.name].best_pathway is None:
            missing.append((surface.name, no_potential_reason(results[surface.name])))
    drawn = [s for s in alike if s.name not in dict(missing)]
    if not drawn:
        raise ClusterflowError(
            f"nothing to draw for {reaction}: {list_missing(missing)}"
        )
    if len(drawn) > MAX_NAMED:
        raise ClusterflowError(
            f"{len(drawn)} clusters cannot be told apart in one diagram; choose up to "
            f"{MAX_NAMED} with --cluster: {', '.join(s.cluster for s in drawn)}"
        )
    rows = [
        row
        for surface in drawn
        for row in _list_state_rows(
            surface,
            results[surface.name],
            order_pathways(results[surface.name])[:1],
        )
    ]
    return Plot(
        figure=draw_overlay(
            {s.name: results[s.name] for s in drawn},
            {
                s.name: _find_half_widths(s, order_pathways(results[s.name])[0])
                for s in drawn
            },
            sheet=sheet,
        ),
        rows=(*rows, *list_hole_rows(rows, missing)),
        missing=tuple(missing),
    )


def _split_drawable(
    surfaces: Sequence[StudyCluster],
) -> tuple[list[StudyCluster], list[tuple[str, str]]]:
    """What goes into one diagram: one cluster at any levels, or clusters at one."""
    temperatures = {surface.method[2] for surface in surfaces}
    if len({surface.cluster for surface in surfaces}) == 1 and len(temperatures) == 1:
        return list(surfaces), []
    return split_comparable(surfaces)


def _find_half_widths(
    surface: StudyCluster, pathway: Pathway
) -> tuple[float | None, ...]:
    """Half of the 90 % interval of each state; none where an error is not known."""
    deviations = surface.thermo and deviations_of(surface.thermo)
    if not deviations:
        return ()
    steps = [parse_equation(step.name) for step in pathway.steps]
    return profile_half_widths(steps, deviations, surface=surface.cluster)


def _list_state_rows(
    surface: StudyCluster, result: ReactionResult, pathways: Sequence[Any]
) -> Iterator[Row]:
    """One row a state of each pathway, with the step that leads to it."""
    for rank, pathway in enumerate(pathways, start=1):
        why_not = dict(holes(pathway))
        for index, state in enumerate(pathway.states):
            step = pathway.steps[index - 1] if index else None
            yield {
                **describe_origin(surface),
                "reaction": result.reaction,
                "pathway_rank": rank,
                "pathway": pathway.name,
                "limiting_potential_median_v_rhe": (
                    result.uncertainty.median_v_rhe if result.uncertainty else None
                ),
                "limiting_potential_v_rhe": pathway.limiting_potential_v_rhe,
                "state_number": index,
                "electrons": sum(step.n_e for step in pathway.steps[:index]),
                "state": state,
                "level_ev": pathway.levels_ev[index],
                "step": step.name if step else None,
                "step_dg_ev": step.dg_ev if step else None,
                "determining": (
                    step is not None and step.name == pathway.determining_step
                ),
                "potential_v": result.potential_v,
                "scale": result.scale,
                "ph": result.ph if result.scale != "rhe" else None,
                "reason": why_not.get(index, ""),
            }

"""One cluster as the page shows it: pictures, diagrams, and the data behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from clusterflow.figures.diagram import draw_profile
from clusterflow.figures.overlay import draw_overlay
from clusterflow.figures.picture import draw_structure
from clusterflow.figures.saving import svg_source
from clusterflow.figures.svg import inline_svg
from clusterflow.records.refinements import name_composite
from clusterflow.report.contents import describe_profile
from clusterflow.report.page_data import cluster_block, to_json
from clusterflow.report.words import say_outcome
from clusterflow.science.adsorption.chosen_minimum import representative_minimum
from clusterflow.science.reactions.flags import group_flags
from clusterflow.science.reactions.pathways import order_pathways

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.records.files import StudyRecords
    from clusterflow.records.profiles import Pathway, ReactionResult
    from clusterflow.records.structure import Structure
    from clusterflow.report.contents import ClusterView
    from clusterflow.report.page_data import NamedStructure
    from clusterflow.results.temperatures import StepEnergies


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A small picture and what stands under it."""

    svg: Markup
    title: str
    note: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinedProfile:
    """A reaction at a composite level, in one picture with the level's.

    Without a best pathway at one of them there is no picture.
    """

    level: str
    result: ReactionResult
    svg: Markup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A reaction's result with its diagram and its pathways, best first.

    Where scripts are to draw the diagram there is none, but it is `described`.
    """

    result: ReactionResult
    described: str
    svg: Markup | None
    pathways: tuple[Pathway, ...]
    flags: frozenset[str]
    refined: RefinedProfile | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A cluster with its pictures and diagrams, and the data behind them.

    `numbers` counts its structures: by ``adsorbate/minimum``, or ``/isomer``.
    """

    view: ClusterView
    pictures: tuple[Picture, ...]
    profiles: tuple[Profile, ...]
    numbers: Mapping[str, int]
    data: Markup


def make_section(
    view: ClusterView,
    structures: Sequence[NamedStructure],
    records: StudyRecords,
    energies: StepEnergies,
    *,
    order: int = 0,
    figures: Mapping[tuple[str, str], str] | None = None,
) -> Section:
    """The section of one cluster.

    Parameters
    ----------
    view, structures
        The cluster, and what can be opened in three dimensions.
    records
        Those of the cluster and of the gases, among any others.
    energies
        Free energies over temperature.
    order
        Which section of its page it is, from 0.
    figures
        Diagrams as SVG by cluster and reaction, of which those that are missing are
        drawn; None for none at all: scripts draw them.
    """
    numbers = {item.key: number for number, item in enumerate(structures)}
    return Section(
        view=view,
        pictures=tuple(_make_cluster_pictures(view, numbers)),
        profiles=tuple(
            _make_profile(view, result, f"{order}-{index}-", figures)
            for index, result in enumerate(view.che.results if view.che else ())
        ),
        numbers=numbers,
        data=to_json(cluster_block(view, records, structures, energies)),
    )


def _make_profile(
    view: ClusterView,
    result: ReactionResult,
    place: str,
    figures: Mapping[tuple[str, str], str] | None,
) -> Profile:
    """A reaction; `place` tells the ids of its diagram from those of others."""
    described, drawn = describe_profile(result), None
    if figures is not None:
        source = figures.get((view.name, result.reaction))
        source = source or svg_source(draw_profile(result))
        drawn = Markup(inline_svg(source, prefix=f"plot{place}", alt=described))
    refined = _find_refined_profile(view, result)
    if refined is not None and figures is not None:
        refined = _draw_refined_profile(view, result, refined, f"refined{place}")
    marks = {mark for p in result.pathways for step in p.steps for mark in step.flags}
    marks |= set(refined.result.flags if refined else ())
    return Profile(
        result=result,
        described=described,
        svg=drawn,
        pathways=order_pathways(result),
        flags=frozenset(name for name, _ in group_flags(marks)),
        refined=refined,
    )


def _find_refined_profile(
    view: ClusterView, result: ReactionResult
) -> RefinedProfile | None:
    """A reaction's result by DFT, if the study refines this cluster."""
    if view.refined is None or view.refined.level is None:
        return None
    results = {r.reaction: r for r in view.refined.profiles.results}
    if result.reaction not in results:
        return None
    level = name_composite(view.refined.level, view.refined.dft_level)
    return RefinedProfile(level=level, result=results[result.reaction], svg=None)


def _draw_refined_profile(
    view: ClusterView, result: ReactionResult, refined: RefinedProfile, prefix: str
) -> RefinedProfile:
    """The same with a picture of both levels, where both have a best pathway."""
    if view.refined is None or view.refined.level is None:
        return refined
    if result.best_pathway is None or refined.result.best_pathway is None:
        return refined
    both = {view.refined.level.name: result, refined.level: refined.result}
    alt = f"At {refined.level}: {describe_profile(refined.result)}"
    drawn = inline_svg(svg_source(draw_overlay(both)), prefix=prefix, alt=alt)
    return replace(refined, svg=Markup(drawn))


def _make_cluster_pictures(
    view: ClusterView, numbers: Mapping[str, int]
) -> list[Picture]:
    """The lowest isomer, then each adsorbate's minimum."""
    found: list[Picture] = []
    for isomer in view.relax.isomers[:1] if view.relax else ():
        found.append(
            _make_picture(isomer.structure, view.name, "lowest isomer", numbers["/0"])
        )
    for record in view.adsorptions:
        minimum = representative_minimum(record, view.vibrations)
        if minimum is not None:
            note = f"{say_outcome(minimum)}, {minimum.site_kind}"
            number = numbers[f"{record.adsorbate}/{record.minima.index(minimum)}"]
            title = f"*{record.adsorbate}"
            found.append(_make_picture(minimum.structure, title, note, number))
    return found


def _make_picture(structure: Structure, title: str, note: str, index: int) -> Picture:
    alt = f"Balls and sticks: {title}, {note}"
    drawn = Markup(draw_structure(structure, alt=alt))
    return Picture(svg=drawn, title=title, note=note, index=index)

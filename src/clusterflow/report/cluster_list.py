"""The list of all clusters of a large study, which its page searches and filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.figures.picture import view_of
from clusterflow.science.reactions.che import THERMALLY_CLOSED_EV
from clusterflow.science.reactions.flags import group_flags
from clusterflow.science.reactions.pathways import no_potential_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clusterflow.records.profiles import ReactionResult
    from clusterflow.report.answers import Answer
    from clusterflow.report.contents import ClusterView
    from clusterflow.report.page_data import Json
    from clusterflow.results.flag_table import Flag

# Units of a picture per Å, as in clusterflow.figures.picture.
_UNITS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterList:
    """What the script reads, the elements of its pictures, and a link a cluster."""

    content: Json
    symbols: frozenset[str]
    links: tuple[tuple[str, str], ...]


def list_clusters(
    views: Sequence[ClusterView],
    answers: Sequence[Answer],
    flags: Sequence[Flag],
    link: Callable[[str], str],
) -> ClusterList:
    """Every cluster with its picture, and its place in the ranking of each reaction.

    Parameters
    ----------
    views
        All clusters of the study.
    answers
        Rankings, each with all clusters that have its reaction at its level.
    flags
        Those of the study: some say that a number is not to be used.
    link
        Where the page of a cluster is.
    """
    places = {view.name: place for place, view in enumerate(views)}
    out = {flag.name for flag in flags if flag.weight == "out"}
    return ClusterList(
        content={
            "clusters": [_describe_cluster(view, link(view.name)) for view in views],
            "rankings": [
                {
                    "reaction": answer.reaction,
                    "level": answer.level,
                    "rows": [
                        {"cluster": places[row.cluster], **_describe(row.result, out)}
                        for row in answer.rows
                    ],
                }
                for answer in answers
            ],
        },
        symbols=frozenset(
            symbol
            for view in views
            for isomer in (view.relax.isomers[:1] if view.relax else ())
            for symbol in isomer.structure.symbols
        ),
        links=tuple((view.name, link(view.name)) for view in views),
    )


def _describe_cluster(view: ClusterView, href: str) -> Json:
    """Words to search for, and atoms as a reader sees them, far ones first."""
    found: Json = {
        "name": view.name,
        "href": href,
        "words": " ".join(
            filter(
                None,
                (
                    view.build.formula if view.build else "",
                    view.build.material if view.build else "",
                    view.level.level.name if view.level and view.level.level else "",
                    "failed" if view.failures else "",
                ),
            )
        ),
    }
    for isomer in view.relax.isomers[:1] if view.relax else ():
        structure = isomer.structure
        places = (view_of(structure) * _UNITS).round().astype(int)
        order = places[:, 2].argsort(kind="stable")
        found["symbols"] = [structure.symbols[index] for index in order]
        found["places"] = places[order].ravel().tolist()
    return found


def _describe(result: ReactionResult, out: set[str]) -> Json:
    """Numbers of one row, those that there are; V vs RHE and eV."""
    interval, lead = result.uncertainty, result.selectivity
    chemical = result.chemical_bottleneck_ev
    numbers = {
        "median": result.headline_v_rhe,
        "low": interval.lower_v_rhe if interval else None,
        "high": interval.upper_v_rhe if interval else None,
        "estimate": result.limiting_potential_v_rhe,
        "chemical": chemical,
        "over": result.headline_overpotential_v,
        "lead": lead.median_v if lead else result.selectivity_v,
    }
    found: Json = {k: round(v, 3) for k, v in numbers.items() if v is not None}
    if result.determining_step:
        found["step"] = result.determining_step
    if result.limiting_potential_v_rhe is None:
        found["why"] = no_potential_reason(result)
    if (chemical or 0.0) > THERMALLY_CLOSED_EV:
        found["closed"] = 1
    carried = sorted(name for name, _ in group_flags(result.flags) if name in out)
    if carried:
        found["out"] = carried
    return found

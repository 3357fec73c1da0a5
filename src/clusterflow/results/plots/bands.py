"""Band edges of clusters beside redox couples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.errors import ClusterflowError
from clusterflow.figures.band_edges import draw_band_edges
from clusterflow.figures.sheet import USUAL, Sheet
from clusterflow.results.plots.common import (
    Plot,
    describe_origin,
    list_hole_rows,
    list_missing,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.records.profiles import BandEdges
    from clusterflow.results.plots.common import StudyCluster
    from clusterflow.results.tables import Row


def plot_bands(surfaces: Sequence[StudyCluster], sheet: Sheet = USUAL) -> Plot:
    """Band edges of clusters beside redox couples, V against SHE.

    Raises
    ------
    ClusterflowError
        If no cluster has band edges.
    """
    views: dict[str, BandEdges] = {}
    missing: list[tuple[str, str]] = []
    rows: list[Row] = []
    for surface in surfaces:
        view = surface.che.edges
        first = next(iter(views.values()), view)
        if view is None or first is None:
            missing.append((surface.name, "its che record holds no band edges"))
        elif (view.ph, view.absolute_she_v) != (first.ph, first.absolute_she_v):
            missing.append((surface.name, f"is at pH {view.ph:g}, not {first.ph:g}"))
        else:
            views[surface.name] = view
            rows += _list_edge_rows(surface, view)
    if not views:
        raise ClusterflowError(f"nothing to draw: {list_missing(missing)}")
    missing += [
        (str(row["cluster"]), f"{row['name']}: {row['reason']}")
        for row in rows
        if row["reason"]
    ]
    couples = {c.couple: c for v in views.values() for c in v.couples}
    rows += [
        {
            **dict.fromkeys(rows[0]),
            "name": name,
            "potential_v_she": couple.potential_v_she,
            "reason": couple.reason if couple.potential_v_she is None else None,
        }
        for name, couple in couples.items()
    ]
    unseen = [(name, why) for name, why in missing if name not in views]
    return Plot(
        figure=draw_band_edges(views, sheet=sheet),
        rows=(*rows, *list_hole_rows(rows, unseen)),
        missing=tuple(missing),
    )


def _list_edge_rows(surface: StudyCluster, view: BandEdges) -> Iterator[Row]:
    why_not = {c.edge: c.reason for c in view.couples if c.reason}
    for name, potential in (
        ("conduction", view.conduction_v_she),
        ("valence", view.valence_v_she),
    ):
        reason = "" if potential is not None else why_not.get(name, "no value")  # type: ignore[call-overload]
        yield {
            **describe_origin(surface),
            "name": name,
            "potential_v_she": potential,
            "ph": view.ph,
            "reason": reason,
        }

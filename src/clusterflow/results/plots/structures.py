"""Geometries of a study, and the sites of a cluster, as figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.errors import RecordError, name_near
from clusterflow.figures.geometry import draw_structures
from clusterflow.figures.sheet import USUAL, Sheet
from clusterflow.figures.site_map import draw_sites
from clusterflow.records.adsorption import AdsorbRecord, SitesRecord
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.files import read_records
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.results.plots.common import Plot
from clusterflow.science.adsorption.chosen_minimum import representative_minimum
from clusterflow.stages.sites import site_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from clusterflow.records.files import StudyRecords
    from clusterflow.records.structure import Structure
    from clusterflow.results.tables import Row


def plot_structure(
    folder: Path, cluster: str, adsorbates: Sequence[str], sheet: Sheet = USUAL
) -> Plot:
    """A bare cluster, or some adsorbates on it, each at the minimum that stands for it.

    Raises
    ------
    RecordError
        If the cluster, or an adsorbate on it, has no geometry.
    """
    records, relaxed = _read_cluster(folder, cluster)
    names = [name.removeprefix("*") for name in adsorbates]
    shown = {f"*{n} on {cluster}": _find_minimum(records, cluster, n) for n in names}
    shown = shown or {cluster: relaxed.isomers[0].structure}
    rows = [
        {**_describe_origin(relaxed), "structure": name, **row}
        for name, structure in shown.items()
        for row in _list_atom_rows(structure)
    ]
    return Plot(figure=draw_structures(shown, sheet=sheet), rows=tuple(rows))


def plot_sites(folder: Path, cluster: str, sheet: Sheet = USUAL) -> Plot:
    """The lowest isomer of a cluster from both sides, with its distinct sites.

    Raises
    ------
    RecordError
        If the cluster has no geometry or no sites.
    """
    records, relaxed = _read_cluster(folder, cluster)
    found = next(iter(records.of(SitesRecord)), None)
    if found is None or not found.sites:
        reason = found.reason if found else "no sites record; run the study"
        raise RecordError(f"{cluster}: nothing to draw: {reason}")
    rows = [{**_describe_origin(relaxed), **row} for row in site_rows(found)]
    figure = draw_sites(relaxed.isomers[0].structure, found.sites, sheet=sheet)
    return Plot(figure=figure, rows=tuple(rows))  # type: ignore[arg-type]


def _read_cluster(folder: Path, cluster: str) -> tuple[StudyRecords, RelaxRecord]:
    """The records of a cluster, and its relaxed isomers."""
    records = read_records(folder)
    own = records.about(cluster)
    relaxed = next(iter(own.of(RelaxRecord)), None)
    if relaxed is None:
        known = {record.cluster for record in records.of(RelaxRecord)}
        raise RecordError(
            f"--cluster {cluster}: has no geometry in these results; "
            f"{name_near(cluster, known)}"
        )
    if not relaxed.isomers:
        raise RecordError(f"{cluster}: nothing to draw: {relaxed.reason}")
    return own, relaxed


def _find_minimum(records: StudyRecords, cluster: str, adsorbate: str) -> Structure:
    every = {record.adsorbate: record for record in records.of(AdsorbRecord)}
    if adsorbate not in every:
        raise RecordError(
            f"--adsorbate {adsorbate}: was not put on {cluster}; "
            f"{name_near(adsorbate, every)}"
        )
    found = representative_minimum(every[adsorbate], records.of(VibrateRecord))
    if found is None:
        raise RecordError(
            f"{cluster}/{adsorbate}: nothing to draw: {every[adsorbate].reason}"
        )
    return found.structure


def _describe_origin(relaxed: RelaxRecord) -> Row:
    level = relaxed.level
    return {
        "cluster": relaxed.cluster,
        "level": level.name if level else None,
        "level_hash": level.hash if level else None,
    }


def _list_atom_rows(structure: Structure) -> Iterator[Row]:
    for index, (symbol, role, (x, y, z)) in enumerate(
        zip(structure.symbols, structure.roles, structure.positions, strict=True)
    ):
        place = {"x_angstrom": x, "y_angstrom": y, "z_angstrom": z}
        yield {"atom": index, "element": symbol, "role": role, **place}

"""Stage sites: where an adsorbate can sit on the lowest isomer of a cluster."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from clusterflow.errors import ConfigError
from clusterflow.library.find import Library
from clusterflow.records.adsorption import SitesRecord
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.files import write_atomic
from clusterflow.science.clusters.ligands import ligands_of
from clusterflow.science.geometry.bonds import hill_formula
from clusterflow.science.sites.sites import find_sites
from clusterflow.settings import SitesSettings
from clusterflow.stages.parts.job import settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from clusterflow.records.adsorption import Site
    from clusterflow.records.structure import Structure
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job


def sites(relaxed: RelaxRecord, settings: SitesSettings, job: Job) -> SitesRecord:
    """Symmetry-distinct sites of the lowest isomer."""
    job.settings = settings_of(settings)
    if not relaxed.isomers:
        return SitesRecord(
            cluster=relaxed.cluster,
            isomer="none",
            point_group="",
            symmetry_tolerance_a=settings.symmetry_tolerance_a,
            sites=(),
            status="failed",
            reason=f"no relaxed cluster: {relaxed.reason}",
            provenance=job.provenance(),
        )
    return sites_of(relaxed.isomers[0].structure, relaxed.cluster, settings, job)


def sites_of(
    structure: Structure, cluster: str, settings: SitesSettings, job: Job
) -> SitesRecord:
    """Distinct sites of a geometry."""
    point_group, found = sites_on(structure, settings)
    return SitesRecord(
        cluster=cluster,
        isomer=structure.name,
        point_group=point_group,
        distinct_by="environment" if point_group == "C1" else "symmetry",
        symmetry_tolerance_a=settings.symmetry_tolerance_a,
        sites=found,
        status="ok" if found else "failed",
        reason="" if found else _why_no_sites(structure, cluster, settings),
        provenance=job.provenance(),
    )


def sites_on(
    structure: Structure, settings: SitesSettings
) -> tuple[str, tuple[Site, ...]]:
    """Point group and sites of a geometry."""
    point_group, found = find_sites(
        structure.symbols,
        structure.xyz,
        roles=structure.roles,
        kinds=settings.kinds,
        probe_radius_a=settings.probe_radius_a,
        tolerance_a=settings.symmetry_tolerance_a,
    )
    return point_group, tuple(found)


def _why_no_sites(structure: Structure, cluster: str, settings: SitesSettings) -> str:
    """Why a geometry has no site, and what would give it one."""
    reason = (
        f"no {', '.join(settings.kinds)} site is within reach of a probe of "
        f"{settings.probe_radius_a:g} Å"
    )
    bound = [i for i, role in enumerate(structure.roles) if role == "ligand"]
    if not bound:
        return f"{reason}; try other sites.kinds or a smaller sites.probe_radius_a"
    pieces = Counter(
        hill_formula([structure.symbols[i] for i in piece])
        for piece in ligands_of(structure.symbols, structure.xyz, bound)
    )
    covered = ", ".join(f"{n} {piece}" for piece, n in pieces.items())
    ligand = _name_ligand(next(iter(pieces)))
    return (
        f"{reason}; it is covered by {covered}. A cluster YAML with "
        f"`parent: {cluster}` and `removed: {{ligand: {ligand}, count: 1}}` "
        "has room where one is missing"
    )


def _name_ligand(formula: str) -> str:
    """The library's name of a ligand of some composition, else the composition."""
    for ligand in Library.default().ligands():
        if ligand.atoms and hill_formula([line[0] for line in ligand.atoms]) == formula:
            return ligand.name
    return formula


def site_rows(record: SitesRecord) -> list[dict[str, object]]:
    """The sites as rows of a table, numbered from 1."""
    return [
        {
            "site": number,
            "kind": site.kind,
            "images": site.multiplicity,
            "atoms": " ".join(
                f"{e}{i}" for e, i in zip(site.elements, site.atoms, strict=True)
            ),
            "CN": " ".join(map(str, site.coordination_numbers)),
            "GCN": site.generalized_coordination_number,
            "free_sr": site.accessible_solid_angle_sr,
        }
        for number, site in enumerate(record.sites, start=1)
    ]


def site_summary(record: SitesRecord) -> str:
    """One line: group, number of sites, and what makes them distinct."""
    n_all = sum(site.multiplicity for site in record.sites)
    return (
        f"{record.cluster}: {record.point_group}, {len(record.sites)} distinct sites "
        f"of {n_all} by {record.distinct_by}, "
        f"tolerance {record.symmetry_tolerance_a:g} Å"
        + (f"; {record.reason}" if record.reason else "")
    )


def draw(record: SitesRecord, structure: Structure, output: Path) -> None:
    """Write a picture of the sites: a page for .html, else .png.

    Raises
    ------
    ConfigError
        For another suffix.
    """
    from clusterflow.figures.saving import save_figure
    from clusterflow.figures.site_map import draw_sites, sites_page

    figure = draw_sites(structure, record.sites)
    if output.suffix == ".html":
        title = f"Sites of {record.cluster}"
        page = sites_page(title, figure, site_rows(record), site_summary(record))
        write_atomic(output, page)
    elif output.suffix == ".png":
        save_figure(figure, output)
    else:
        raise ConfigError(f"{output}: pictures of sites are .html or .png")


def run(inputs: Inputs, job: Job) -> SitesRecord:
    """Find the sites of a relaxed cluster."""
    return sites(inputs.one(RelaxRecord), inputs.settings(SitesSettings), job)

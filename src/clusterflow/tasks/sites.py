"""Stage sites: where an adsorbate can sit on the lowest isomer of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clusterflow.core.sites import find_sites
from clusterflow.records import SitesRecord
from clusterflow.tasks.job import settings_of

if TYPE_CHECKING:
    from clusterflow.config import SitesSettings
    from clusterflow.records import RelaxRecord, Site, Structure
    from clusterflow.tasks.job import Job


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
    """Symmetry-distinct sites of a geometry."""
    point_group, found = sites_on(structure, settings)
    return SitesRecord(
        cluster=cluster,
        isomer=structure.name,
        point_group=point_group,
        symmetry_tolerance_a=settings.symmetry_tolerance_a,
        sites=found,
        status="ok" if found else "failed",
        reason="" if found else "no atom of the cluster is within reach of the probe",
        provenance=job.provenance(),
    )


def sites_on(
    structure: Structure, settings: SitesSettings
) -> tuple[str, tuple[Site, ...]]:
    """Point group and sites of a geometry."""
    point_group, found = find_sites(
        structure.symbols,
        np.array(structure.positions),
        roles=structure.roles,
        kinds=settings.kinds,
        probe_radius_a=settings.probe_radius_a,
        tolerance_a=settings.symmetry_tolerance_a,
    )
    return point_group, tuple(found)

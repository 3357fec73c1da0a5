"""Stage pool: the isomers of a cluster, and which adsorbates changed its bonds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.records import PoolRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.records import AdsorbRecord, RelaxRecord
    from clusterflow.tasks.job import Job


def pool(
    relaxed: RelaxRecord, adsorptions: Sequence[AdsorbRecord], job: Job
) -> PoolRecord:
    """The relaxed isomers; no isomer found by an adsorbate is added in one round."""
    return PoolRecord(
        cluster=relaxed.cluster,
        isomers=tuple(isomer.structure.name for isomer in relaxed.isomers),
        reconstructed_by=tuple(
            record.adsorbate
            for record in adsorptions
            if any(not minimum.core_intact for minimum in record.minima)
        ),
        provenance=job.provenance(),
    )

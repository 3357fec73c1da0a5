"""Stage refine_bare: energies of a bare cluster's isomers by DFT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.refinements import RefineBareRecord, RefinedIsomer
from clusterflow.settings import RefineSettings
from clusterflow.stages.parts.single_point import compute_states

if TYPE_CHECKING:
    from pathlib import Path

    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job

# An isomer so far above the lowest at the level, eV, is not looked at.
_REACH_EV: Final = 0.5


def density_beside(record: Path) -> Path:
    """Where the density of the first isomer lies, for complexes to start from."""
    return record.with_suffix(".npz")


def run(inputs: Inputs, job: Job) -> RefineBareRecord:
    """Compute the isomers within reach of the lowest."""
    settings, relaxed = inputs.settings(RefineSettings), inputs.one(RelaxRecord)
    dft = inputs.library.level(settings.level)
    job.settings = settings.model_dump(include={"level", "other_multiplicities"})
    found: list[RefinedIsomer] = []
    for isomer in relaxed.isomers:
        if isomer.energy_ev - relaxed.isomers[0].energy_ev > _REACH_EV:
            break
        keep = None
        if not found and job.scratch is not None:
            keep = density_beside(job.scratch.with_name(f"{relaxed.cluster}.json"))
        point, others = compute_states(
            *(isomer.structure, dft, job),
            others=settings.other_multiplicities,
            keep=keep,
        )
        found.append(
            RefinedIsomer(
                isomer=isomer.structure.name, point=point, other_states=others
            )
        )
    reason = found[0].point.reason if found else relaxed.reason
    return RefineBareRecord(
        cluster=relaxed.cluster,
        level=relaxed.level,
        dft_level=dft,
        isomers=tuple(found),
        status="failed" if reason or not found else "ok",
        reason=reason,
        provenance=job.provenance(dft),
    )

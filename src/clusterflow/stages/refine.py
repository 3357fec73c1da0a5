"""Stage refine: the energy of each way an adsorbate binds by DFT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.refine_plans import RefinePlanRecord
from clusterflow.records.refinements import (
    RefineBareRecord,
    RefinedMinimum,
    RefineRecord,
)
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.science.adsorption.chosen_minimum import why_no_minimum
from clusterflow.science.adsorption.ways_of_binding import ways_of_binding
from clusterflow.settings import RefineSettings
from clusterflow.stages.inputs import stage_of
from clusterflow.stages.parts.single_point import compute_states
from clusterflow.stages.refine_bare import density_beside

if TYPE_CHECKING:
    from clusterflow.library.levels import LevelSpec
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job


def run(inputs: Inputs, job: Job) -> RefineRecord:
    """Compute the lowest minimum of each way of binding, however far up it lies."""
    settings = inputs.settings(RefineSettings)
    relaxed, adsorbed = inputs.one(RelaxRecord), inputs.one(AdsorbRecord)
    vibrated, bare = inputs.one(VibrateRecord), inputs.one(RefineBareRecord)
    dft = inputs.library.level(settings.level)
    job.settings = settings.model_dump(include={"level", "other_multiplicities"})
    # By hand, whoever names an adsorbate has chosen it.
    plan = None if inputs.by_hand else inputs.optional(RefinePlanRecord)
    if plan is not None:
        planned = plan.planned(adsorbed.cluster, adsorbed.adsorbate)
        if planned is None or planned.chosen_in is None:
            why = planned.reason if planned else "not among those to choose from"
            left_out = _make_record(adsorbed, dft, (), "", job)
            return left_out.model_copy(update={"reason": why})
    if not bare.isomers or bare.isomers[0].point.energy_ev is None:
        why = f"bare cluster: {bare.reason}"
        return _make_record(adsorbed, dft, (), why, job)
    hosts = {i.structure.name: i.structure.charge for i in relaxed.isomers}
    densities = [
        density_beside(path)
        for path in inputs.files
        if stage_of(path) == RefineBareRecord.model_fields["stage"].default
    ]
    found = []
    for way in ways_of_binding(adsorbed, vibrated):
        point, others = compute_states(
            *(way.structure, dft, job),
            others=settings.other_multiplicities,
            neighbours=densities,
            host_charge=hosts[adsorbed.minima[way.minimum].isomer],
        )
        found.append(
            RefinedMinimum(
                minimum=way.minimum,
                bonds=way.bonds,
                vibrated=way.minimum == vibrated.minimum,
                point=point,
                other_states=others,
            )
        )
    reason = "" if found else why_no_minimum(adsorbed)
    if found and all(way.point.energy_ev is None for way in found):
        reason = found[0].point.reason
    return _make_record(adsorbed, dft, tuple(found), reason, job)


def _make_record(
    adsorbed: AdsorbRecord,
    dft: LevelSpec,
    minima: tuple[RefinedMinimum, ...],
    reason: str,
    job: Job,
) -> RefineRecord:
    return RefineRecord(
        cluster=adsorbed.cluster,
        adsorbate=adsorbed.adsorbate,
        level=adsorbed.level,
        dft_level=dft,
        minima=minima,
        status="failed" if reason else "ok",
        reason=reason,
        provenance=job.provenance(dft),
    )

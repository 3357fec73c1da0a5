"""Stage refined_che: reaction profiles of the composite level on one cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import RefinedCheRecord, RefinedThermoRecord
from clusterflow.settings import CheSettings
from clusterflow.stages.che import che

if TYPE_CHECKING:
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job


def run(inputs: Inputs, job: Job) -> RefinedCheRecord:
    """The reactions of the level's profiles, at the same potential."""
    refined, base = inputs.one(RefinedThermoRecord), inputs.one(CheRecord)
    profiles = che(
        refined.energies,
        base.networks,
        CheSettings.model_validate(base.provenance.settings),
        inputs.library,
        job,
        states=[state.energies for state in inputs.peers(RefinedThermoRecord)],
    )
    return RefinedCheRecord(
        cluster=refined.cluster,
        level=refined.level,
        dft_level=refined.dft_level,
        profiles=profiles,
        status=profiles.status,
        reason=profiles.reason,
        provenance=profiles.provenance,
    )

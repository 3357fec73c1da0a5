"""Stage refine_gas: a molecule's energy by DFT, at the geometry of a level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.records.refinements import RefineGasRecord
from clusterflow.records.vibrations import GasRecord
from clusterflow.settings import RefineSettings
from clusterflow.stages.parts.single_point import compute_single_point, relax_point

if TYPE_CHECKING:
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job


def run(inputs: Inputs, job: Job) -> RefineGasRecord:
    """Compute a molecule that was relaxed."""
    settings = inputs.settings(RefineSettings)
    gas, dft = inputs.one(GasRecord), inputs.library.level(settings.level)
    job.settings = settings.model_dump(
        mode="json", include={"level", "relax", "second_level"}
    )
    point = relaxed = second = None
    if gas.structure is not None:
        point = compute_single_point(gas.structure, dft, job)
        relaxed = relax_point(point, dft, job) if settings.relax else None
        if settings.second_level is not None:
            other = inputs.library.level(settings.second_level)
            second = compute_single_point(gas.structure, other, job)
    reason = gas.reason if point is None else point.reason
    return RefineGasRecord(
        gas=gas.gas,
        level=gas.level,
        dft_level=dft,
        point=point,
        relaxed=relaxed,
        second=second,
        status="ok" if point is not None and not reason else "failed",
        reason=reason,
        provenance=job.provenance(dft),
    )

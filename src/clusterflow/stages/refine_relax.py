"""Stage refine_relax: what the geometries of a cheaper level cost, by DFT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.records.refinements import (
    RefineBareRecord,
    RefineRecord,
    RefineRelaxRecord,
)
from clusterflow.science.thermochemistry.composite import Refinements
from clusterflow.settings import RefineSettings
from clusterflow.stages.parts.recomputation import OtherWay, recompute
from clusterflow.stages.parts.single_point import relax_point

if TYPE_CHECKING:
    from clusterflow.records.refinements import SinglePoint
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job


def run(inputs: Inputs, job: Job) -> RefineRelaxRecord:
    """Relax the lowest minimum of each adsorbate asked for, and what it counts from."""
    wanted = inputs.settings(RefineSettings).relax
    found = Refinements(
        bare=inputs.one(RefineBareRecord),
        adsorbates=inputs.every(RefineRecord),
    )
    job.settings = {"relax": list(wanted)}
    level = found.dft_level

    def relax(start: SinglePoint, host_charge: int | None) -> SinglePoint:
        return relax_point(start, level, job, host_charge=host_charge)

    way = OtherWay(level=level, compute=relax)
    return recompute(found, wanted, way, RefineRelaxRecord, job)

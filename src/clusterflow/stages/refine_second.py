"""Stage refine_second: what decides, at a second level of DFT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.errors import ConfigError
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import RefineBareRecord, RefineSecondRecord
from clusterflow.settings import CheSettings, RefineSettings
from clusterflow.stages.che import che, list_deciding_species
from clusterflow.stages.inputs import stage_of
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.recomputation import OtherWay, recompute
from clusterflow.stages.parts.single_point import compute_single_point
from clusterflow.stages.refine_bare import density_beside
from clusterflow.stages.refined_thermo import gather_records, refined_thermo

if TYPE_CHECKING:
    from clusterflow.records.refinements import SinglePoint
    from clusterflow.stages.inputs import Inputs


def run(inputs: Inputs, job: Job) -> RefineSecondRecord:
    """Compute the lowest minimum of what decides, on the same geometries.

    Raises
    ------
    ConfigError
        If there is no second level.
    """
    settings = inputs.settings(RefineSettings)
    if settings.second_level is None:
        raise ConfigError("refine.second_level: name a level, such as r2scan-d4-tzvp")
    level = inputs.library.level(settings.second_level)
    found = gather_records(inputs)[2]
    wanted = settings.second_species
    if wanted == "determining":
        wanted = _find_deciding(inputs)
    job.settings = {"second_level": level.name, "second_species": list(wanted)}
    densities = [
        density_beside(path)
        for path in inputs.files
        if stage_of(path) == RefineBareRecord.model_fields["stage"].default
    ]

    def compute(start: SinglePoint, host_charge: int | None) -> SinglePoint:
        return compute_single_point(
            start.structure, level, job, neighbours=densities, host_charge=host_charge
        )

    way = OtherWay(level=level, compute=compute)
    return recompute(found, wanted, way, RefineSecondRecord, job)


def _find_deciding(inputs: Inputs) -> tuple[str, ...]:
    """Adsorbates of the steps that may determine U_L of the first level's profiles."""
    records, base, found = gather_records(inputs)
    profiled = inputs.one(CheRecord)
    energies = refined_thermo(
        records, base, found, inputs.library, Job("refined_thermo")
    ).energies
    profiles = che(
        energies,
        profiled.networks,
        CheSettings.model_validate(profiled.provenance.settings),
        inputs.library,
        Job("refined_che"),
    )
    species = {s for result in profiles.results for s in list_deciding_species(result)}
    return tuple(sorted(s[1:] for s in species if s.startswith("*") and s != "*"))

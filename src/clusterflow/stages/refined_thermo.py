"""Stage refined_thermo: free energies whose electronic energies are of DFT."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.refinements import (
    RefineBareRecord,
    RefinedThermoRecord,
    RefineGasRecord,
    RefineRecord,
    RefineRelaxRecord,
    RefineSecondRecord,
)
from clusterflow.records.vibrations import GasRecord, LeavingRecord, VibrateRecord
from clusterflow.science.thermochemistry.composite import (
    Refinements,
    compose_records,
)
from clusterflow.science.thermochemistry.level_layer import UNMEASURED_FLAG
from clusterflow.science.thermochemistry.species import hole
from clusterflow.science.uncertainty.method_deviations import estimate_deviations
from clusterflow.settings import ThermoSettings
from clusterflow.stages.parts.calibration import Calibration
from clusterflow.stages.parts.recomputation import find_differences
from clusterflow.stages.parts.verdicts import mark_refined
from clusterflow.stages.thermo import group_model_of, surroundings_of, thermo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.find import Library
    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.refinements import BindingDifference, Recomputation
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job

# What corrects the level's electronic energies, of which none is left.
_OF_THE_LEVEL = ("level", "dft")


def refined_thermo(
    records: ClusterRecords,
    base: ThermoRecord,
    found: Refinements,
    library: Library,
    job: Job,
    *,
    again: Sequence[Recomputation] = (),
) -> RefinedThermoRecord:
    """Free energies of the composite level, what has no DFT energy calibrated by them.

    Parameters
    ----------
    records
        Of the level, whose geometries and thermal parts are taken.
    base
        Free energies of the level.
    found
        The DFT energies.
    again
        Some of them in second ways, which tell what they are off by.
    """
    settings = _adapt_settings(base)
    layers = settings.correct
    differences = tuple(
        difference
        for second in again
        for difference in find_differences(
            found, second, records.gases, settings, library
        )
    )
    found = _state_deviations(found, differences)
    composite = compose_records(records, found, settings.isomers)
    energies = thermo(composite.records, settings, library, job)
    calibration = calibration_of(records, base, found, library)
    refined = {s.name: s for s in energies.species}
    species = []
    for one in base.species:
        if one.name in refined:
            more = composite.flags.get(one.name[1:], ()) if one.name[0] == "*" else ()
            species.append(_mark_refined(refined[one.name], more))
        elif one.name.startswith("*"):
            why = composite.reasons.get(one.name[1:], "not among those refined")
            species.append(_stand_in(one, why, calibration, layers))
    missing = ", ".join(s.name for s in species if s.formation_ev is None)
    energies = energies.model_copy(
        update={
            "species": tuple(species),
            "reason": f"no free energy for {missing}" if missing else "",
        }
    )
    record = RefinedThermoRecord(
        cluster=base.cluster,
        level=base.level,
        dft_level=found.dft_level,
        energies=energies,
        calibration=calibration.points if calibration else (),
        differences=differences,
        status=energies.status,
        reason=energies.reason,
        provenance=energies.provenance,
    )
    return mark_refined(record, found)


def _state_deviations(
    found: Refinements, differences: Sequence[BindingDifference]
) -> Refinements:
    """The DFT energies, at a level that says what they are off by at these geometries.

    A level with one deviation for all, as that of a calculator of one's own, keeps it.
    """
    dft = found.dft_level
    if dft.uncertainty_ev is not None:
        return found
    stated = dict(dft.deviations_ev)
    if dft.geometry_error_ev is not None:
        stated["geometry"] = dft.geometry_error_ev
    measured = [(one.source, one.difference_ev) for one in differences]
    sigma = estimate_deviations(stated, measured)
    dft = dft.model_copy(update={"deviations_ev": sigma})
    return replace(found, bare=found.bare.model_copy(update={"dft_level": dft}))


def _adapt_settings(base: ThermoRecord) -> ThermoSettings:
    """The settings of the level's free energies, without what corrects the level."""
    settings = ThermoSettings.model_validate(base.provenance.settings)
    layers = tuple(name for name in settings.correct if name not in _OF_THE_LEVEL)
    return settings.model_copy(update={"correct": layers})


def calibration_of(
    records: ClusterRecords, base: ThermoRecord, found: Refinements, library: Library
) -> Calibration | None:
    """What calibrates the adsorbates without a DFT energy; None without bare energy.

    Parameters are those of `refined_thermo`.
    """
    settings = _adapt_settings(base)
    composed = compose_records(records, found, settings.isomers).records
    level = records.relaxed.level
    if level is None or not composed.relaxed.isomers:
        return None
    around = surroundings_of(level, records.gases, settings, library)
    refined_around = surroundings_of(found.dft_level, composed.gases, settings, library)
    symbols = records.relaxed.isomers[0].structure.symbols
    return Calibration(
        records=records,
        found=found,
        around=around,
        refined_around=refined_around,
        bonds=group_model_of(around, library),
        refined_bonds=group_model_of(refined_around, library),
        table=library.level_errors_of(level, symbols),
        library=library,
    )


def _stand_in(
    species: SpeciesFreeEnergy,
    why: str,
    calibration: Calibration | None,
    layers: tuple[str, ...],
) -> SpeciesFreeEnergy:
    """What stands for an adsorbate without a DFT energy: calibrated, or a hole."""
    without = f"no DFT energy: {why}"
    if species.formation_ev is None:
        return hole(species.name, f"{without}; at the level: {species.reason}")
    if calibration is None:
        return hole(species.name, f"{without}; the bare cluster has none either")
    if "gas" not in layers:
        return hole(species.name, f"{without}; calibration needs the layer gas")
    return calibration.calibrate(species, without)


def _mark_refined(
    species: SpeciesFreeEnergy, more: tuple[str, ...]
) -> SpeciesFreeEnergy:
    """A species with a DFT energy and its flags, without those of the level's."""
    if species.formation_ev is None:
        return species
    flags = tuple(flag for flag in species.flags if flag != UNMEASURED_FLAG)
    return species.model_copy(update={"flags": (*flags, *more)})


def gather_records(
    inputs: Inputs,
) -> tuple[ClusterRecords, ThermoRecord, Refinements]:
    """Records of the level, its free energies, and the DFT energies."""
    records = ClusterRecords(
        relaxed=inputs.one(RelaxRecord),
        adsorptions=inputs.every(AdsorbRecord),
        vibrations=inputs.every(VibrateRecord),
        gases=inputs.every(GasRecord),
        leaving=inputs.optional(LeavingRecord),
    )
    found = Refinements(
        bare=inputs.one(RefineBareRecord),
        gases=inputs.every(RefineGasRecord),
        adsorbates=inputs.every(RefineRecord),
    )
    return records, inputs.one(ThermoRecord), found


def run(inputs: Inputs, job: Job) -> RefinedThermoRecord:
    """Sum up what a cluster's free energies are with DFT; records are all there is."""
    again: list[Recomputation] = []
    if not inputs.by_hand:
        again += inputs.every(RefineRelaxRecord)
        again += inputs.every(RefineSecondRecord)
    return refined_thermo(*gather_records(inputs), inputs.library, job, again=again)

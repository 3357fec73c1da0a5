"""Stage thermo: free energies of everything on one cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.library.own_tables import read_shifts
from clusterflow.records.adsorption import AdsorbRecord, PoolRecord
from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.energies import LevelShares, MinimumEnergies, ThermoRecord
from clusterflow.records.provenance import EDITED_FLAG
from clusterflow.records.vibrations import GasRecord, LeavingRecord, VibrateRecord
from clusterflow.science.adsorption.bare_isomers import (
    bare_energies,
    isomer_weights,
    isomers_of_minimum,
    relaxed_of_mode,
    why_not_pooled,
)
from clusterflow.science.adsorption.chosen_minimum import (
    by_other_isomers,
    minimum_of_mode,
)
from clusterflow.science.geometry.bond_groups import as_adsorbate
from clusterflow.science.thermochemistry.adsorbate_models import AdsorbateModel
from clusterflow.science.thermochemistry.anchors import EXACT, FROM_CO2
from clusterflow.science.thermochemistry.formation import experimental_table
from clusterflow.science.thermochemistry.lost_vibrations import lost_vibrations
from clusterflow.science.thermochemistry.partition_functions import Barriers
from clusterflow.science.thermochemistry.species import (
    Layers,
    Surroundings,
    adsorbed_species,
    clean_surface,
    find_layer_shifts,
    gas_species,
    hole,
    refuse_mixed_levels,
)
from clusterflow.science.thermochemistry.validity import (
    Situation,
    broken_limits,
    situation_of,
)
from clusterflow.settings import ThermoSettings, search_error_ev
from clusterflow.stages.parts.job import settings_of
from clusterflow.stages.parts.verdicts import (
    judge_complex_records,
    mark_species,
    why_no_gas,
    why_no_host,
    why_no_minimum_energy,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.clusters import IsomerMode
    from clusterflow.library.find import Library
    from clusterflow.library.groups import GroupSpec
    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.energies import LostVibrations, SpeciesFreeEnergy
    from clusterflow.records.structure import Structure
    from clusterflow.science.thermochemistry.group_errors import GroupModel
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job


def thermo(
    records: ClusterRecords, settings: ThermoSettings, library: Library, job: Job
) -> ThermoRecord:
    """Free energies of formation of all species on a cluster, or why there is none.

    Without a pool there are no energies against other isomers than the cluster's own.

    Raises
    ------
    RecordError
        If records of different levels would be mixed.
    ConfigError
        If a table of shifts is wrong.
    """
    relaxed, level = records.relaxed, records.relaxed.level
    if level is not None:
        settings = settings.at_level(level)
    job.settings = settings_of(settings)
    tables = {
        layer: read_shifts(Path(file), relaxed.cluster, library)
        for layer, file in settings.tables.items()
    }
    job.inputs = [*job.inputs, *map(Path, settings.tables.values())]
    if level is None:
        return _make_record_without_level(records, settings, job)
    refuse_mixed_levels(
        level, [*records.adsorptions, *records.vibrations], relaxed.cluster
    )
    around = surroundings_of(level, records.gases, settings, library)
    corrections = around.corrections()
    by_gas = {c.gas: c.correction_ev for c in corrections}
    specs = [library.adsorbate(a.adsorbate) for a in records.adsorptions]
    bonds = group_model_of(around, library)
    elements = [s for i in relaxed.isomers for s in i.structure.symbols]
    errors = library.level_errors_of(level, elements)
    layers = Layers(
        gas_ev=by_gas if "gas" in settings.correct else None,
        bonds=bonds,
        shifts_ev={
            s.name: find_layer_shifts(s, settings.correct, tables) for s in specs
        },
        errors=errors,
        correct_level="level" in settings.correct,
    )
    clean = relaxed_of_mode(records, settings.isomers)
    species = [clean_surface(clean, settings.temperature_k, records.pool)]
    for name in around.gases:
        species += gas_species(name, around, layers.gas_ev)
    for adsorbed, spec in zip(records.adsorptions, specs, strict=True):
        found = adsorbed_species(
            adsorbed,
            spec,
            records,
            around,
            layers,
            search_ev=search_error_ev(
                adsorbed.provenance.settings, is_atom=sum(spec.counts.values()) == 1
            ),
        )
        mode = settings.isomers
        species.append(_ask_gates(found, adsorbed, spec, records, mode))
    if settings.isomers == "pool" and (
        why_not := why_not_pooled(records.pool, records.adsorptions)
    ):
        species = [
            hole(s.name, f"isomers 'pool' are not offered: {why_not}")
            if s.name.startswith("*")
            else s
            for s in species
        ]
    if why_not := why_no_host(clean):
        species = [
            hole(s.name, f"bare cluster {why_not}", "gate")
            if s.name.startswith("*")
            else s
            for s in species
        ]
    structures = _index_structures(clean, records, around)
    species = [_flag_species(s, structures, level, settings, library) for s in species]
    species = list(_flag_edited_species(species, records, around, bonds.groups))
    missing = [s for s in species if s.formation_ev is None]
    record = ThermoRecord(
        cluster=relaxed.cluster,
        level=level,
        temperature_k=settings.temperature_k,
        pressure_pa=settings.pressure_pa,
        isomers=settings.isomers,
        half_hydrogen_ev=_compute_half_hydrogen(around, layers),
        species=tuple(species),
        minima=tuple(_compute_minimum_energies(records, around, library)),
        isomer_weights=tuple(
            isomer_weights(relaxed, records.pool, settings.temperature_k)
        ),
        other_isomers=by_other_isomers(
            species,
            records,
            settings.isomers,
            settings.temperature_k,
            layers.bond_layers_ev,
        ),
        gas_corrections=tuple(corrections),
        group_errors=bonds.errors,
        level_shares=errors
        and LevelShares(cluster=errors.cluster_share, bond=errors.bond_share),
        lost_vibrations=_compute_lost_vibrations(records.leaving, clean, settings),
        status="ok" if relaxed.isomers else "failed",
        reason=relaxed.reason or _name_missing_species(missing),
        provenance=job.provenance(level),
    )
    return mark_species(record, library)


def _compute_lost_vibrations(
    leaving: LeavingRecord | None, clean: RelaxRecord, settings: ThermoSettings
) -> tuple[LostVibrations, ...]:
    if leaving is None or not clean.isomers:
        return ()
    return lost_vibrations(
        leaving,
        clean.isomers[0].structure.name,
        settings.temperature_k,
        settings.low_mode_cutoff_cm1,
    )


def _make_record_without_level(
    records: ClusterRecords, settings: ThermoSettings, job: Job
) -> ThermoRecord:
    relaxed = records.relaxed
    names = ["*", *(f"*{a.adsorbate}" for a in records.adsorptions)]
    return ThermoRecord(
        cluster=relaxed.cluster,
        level=None,
        temperature_k=settings.temperature_k,
        pressure_pa=settings.pressure_pa,
        isomers=settings.isomers,
        species=tuple(hole(n, relaxed.reason, "failed") for n in names),
        status="failed",
        reason=relaxed.reason,
        provenance=job.provenance(),
    )


def surroundings_of(
    level: LevelSpec,
    gases: Iterable[GasRecord],
    settings: ThermoSettings,
    library: Library,
) -> Surroundings:
    """What the free energies at a level refer to: gases, which never feel a solvent."""
    surface = level.model_copy(update={"solvent": None}).hash
    at_level = {g.gas: _take_out_failed(g) for g in gases if g.level.hash == surface}
    return Surroundings(
        gases=at_level,
        table=experimental_table([*at_level, *settings.anchors], library),
        anchors=settings.anchors,
        temperature_k=settings.temperature_k,
        pressure_pa=settings.pressure_pa,
        isomers=settings.isomers,
        model=AdsorbateModel(
            name=settings.adsorbate_model,
            low_mode_cutoff_cm1=settings.low_mode_cutoff_cm1,
            barriers={
                name: Barriers(**given.model_dump())
                for name, given in settings.hindered.items()
            },
        ),
    )


def group_model_of(around: Surroundings, library: Library) -> GroupModel:
    """What gives adsorbates their gas corrections, fitted to the gases there are."""
    return around.group_model(library.groups(), _find_molecules(around))


def _find_molecules(around: Surroundings) -> dict[str, Structure]:
    """A geometry of each gas: relaxed, or else as it is drawn."""
    return {
        name: gas.structure or as_adsorbate(around.table.gases[name].atoms)
        for name, gas in around.gases.items()
    }


def _take_out_failed(gas: GasRecord) -> GasRecord:
    """The molecule, without an energy where a gate says that it has none."""
    reason = why_no_gas(gas) if gas.status == "ok" else ""
    if not reason:
        return gas
    return gas.model_copy(update={"energy_ev": None, "reason": reason})


def _compute_half_hydrogen(around: Surroundings, layers: Layers) -> float | None:
    """Free energy of formation of half a hydrogen molecule, eV: of H⁺ + e⁻ at 0 V."""
    h2, anchors_ev = around.gas_terms("H2"), around.anchor_energy_ev({"H": 2})
    if h2 is None or anchors_ev is None:
        return None
    return (h2.gibbs_ev - anchors_ev + (layers.gas_ev or {}).get("H2", 0.0)) / 2


def _ask_gates(
    species: SpeciesFreeEnergy,
    adsorbed: AdsorbRecord,
    spec: AdsorbateSpec,
    records: ClusterRecords,
    mode: IsomerMode,
) -> SpeciesFreeEnergy:
    """The species, without a number or marked where a gate of its records fails."""
    own = records.vibrations_of(spec.name)
    index = minimum_of_mode(records, adsorbed, mode)
    if species.formation_ev is None or own is None or index is None:
        return species
    reason, flags = judge_complex_records(adsorbed, index, own, records.relaxed, spec)
    if reason:
        return hole(species.name, reason, "gate")
    return species.model_copy(update={"flags": (*species.flags, *flags)})


def _compute_minimum_energies(
    records: ClusterRecords, around: Surroundings, library: Library
) -> Iterator[MinimumEnergies]:
    """Electronic energies of every minimum, against three bare clusters."""
    pool = records.pool
    for adsorbed in records.adsorptions:
        spec = library.adsorbate(adsorbed.adsorbate)
        anchors_ev = around.anchor_energy_ev(spec.counts, electronic=True)
        for index, minimum in enumerate(adsorbed.minima):
            bare = bare_energies(records, spec.name, minimum)
            known = isomers_of_minimum(pool, spec.name, minimum) if pool else None
            energies = bare.differences(minimum.energy_ev - (anchors_ev or 0.0))
            reason = known.reason if known else "no pool record"
            why_not = why_no_minimum_energy(adsorbed, index)
            if anchors_ev is None:
                why_not = around.why_no_anchors(spec.counts)
            if why_not:
                energies, reason = dict.fromkeys(energies), why_not
            yield MinimumEnergies(
                adsorbate=spec.name,
                minimum=index,
                fate=minimum.fate,
                placed_on=minimum.isomer,
                host=known.host if known else None,
                reason=reason,
                **energies,
            )


def _index_structures(
    clean: RelaxRecord, records: ClusterRecords, around: Surroundings
) -> dict[str, Structure]:
    """The structure behind each species' number, by its name in equations."""
    found: dict[str, Structure] = {}
    if clean.isomers:
        found["*"] = clean.isomers[0].structure
    for adsorbed in records.adsorptions:
        index = minimum_of_mode(records, adsorbed, around.isomers)
        if index is not None:
            found[f"*{adsorbed.adsorbate}"] = adsorbed.minima[index].structure
    for name, gas in around.gases.items():
        if gas.structure is not None:
            found |= {f"{name}(g)": gas.structure, f"{name}(l)": gas.structure}
    return found


def _flag_species(
    species: SpeciesFreeEnergy,
    structures: Mapping[str, Structure],
    level: LevelSpec,
    settings: ThermoSettings,
    library: Library,
) -> SpeciesFreeEnergy:
    """A species with the flags of the limits its number is beyond; holes have none."""
    name, host = species.name, structures.get("*")
    whole = structures.get(name)
    if species.formation_ev is None or whole is None:
        return species
    if name.startswith("*") and host is not None:
        adsorbate = library.adsorbate(name[1:]) if name != "*" else None
        here = situation_of(
            level,
            name,
            whole,
            host=host,
            adsorbate=adsorbate,
            molecules=species.inherits,
            layers=settings.correct,
        )
    else:
        here = Situation(
            level=level,
            species=name,
            multiplicity=whole.multiplicity,
            layers=settings.correct,
        )
    limits = broken_limits(here, library.domain())
    return species.model_copy(
        update={"flags": (*species.flags, *(entry.name for entry in limits))}
    )


def _flag_edited_species(
    species: Iterable[SpeciesFreeEnergy],
    records: ClusterRecords,
    around: Surroundings,
    groups: Sequence[GroupSpec],
) -> Iterator[SpeciesFreeEnergy]:
    """The species, flagged where a record behind the number was changed by hand."""
    gases = {n for n, gas in around.gases.items() if gas.provenance.edited}
    of_anchors = not gases.isdisjoint(around.anchors)
    fitted = {*EXACT, *(gas for group in groups for gas in group.gases)}
    of_groups = not gases.isdisjoint(fitted)
    hosts = (records.relaxed, records.pool)
    of_host = any(r.provenance.edited for r in hosts if r is not None)
    both: Iterable[AdsorbRecord | VibrateRecord]
    both = (*records.adsorptions, *records.vibrations)
    complexes = {f"*{r.adsorbate}" for r in both if r.provenance.edited}
    for s in species:
        is_edited = (
            of_anchors
            or s.name in complexes
            or s.name.partition("(")[0] in gases
            or not gases.isdisjoint(s.inherits)
            or (of_groups and bool(s.groups))
            or (of_host and s.name.startswith("*"))
        )
        if is_edited and s.formation_ev is not None:
            yield s.model_copy(update={"flags": (*s.flags, EDITED_FLAG)})
        else:
            yield s


def _name_missing_species(missing: Sequence[SpeciesFreeEnergy]) -> str:
    names = ", ".join(s.name for s in missing)
    return f"no free energy for {names}" if missing else ""


def run(inputs: Inputs, job: Job) -> ThermoRecord:
    """Sum up everything on a cluster; by hand, with the gases that this needs."""
    relaxed, settings = inputs.one(RelaxRecord), inputs.settings(ThermoSettings)
    errors = inputs.library.error_gases(inputs.request.adsorbates)
    names = sorted({*settings.anchors, *errors, *(FROM_CO2 if errors else ())})
    level = relaxed.level
    gases = [{"gas": name, "level": level.name} for name in names] if level else []
    records = ClusterRecords(
        relaxed=relaxed,
        adsorptions=inputs.every(AdsorbRecord),
        vibrations=inputs.every(VibrateRecord),
        gases=inputs.every(GasRecord, gases),
        pool=inputs.optional(PoolRecord),
        leaving=inputs.optional(LeavingRecord),
    )
    return thermo(records, settings, inputs.library, job)
